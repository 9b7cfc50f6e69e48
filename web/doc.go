// Package web serves what operators and their tools look at over HTTP: the metrics
// in Prometheus' format and the health endpoints.
//
// It pulls snapshots from the proxy and the pools when asked; nothing on the path
// of a query knows of it. A stalled reader costs a goroutine until its timeout.
package web
