package wire

import "fmt"

// An HTTPError is returned by [ReadStartup] when the client speaks HTTP: somebody
// has pointed a browser, a probe or a metrics scraper at the wrong port.
type HTTPError struct{}

// Error says what happened.
func (*HTTPError) Error() string {
	return "HTTP request on a postgres port"
}

// AppendResponse appends a plain HTTP answer that tells the client where it is and,
// unless metrics is empty, where the metrics are (a URL). Most of the request is
// still unread; a caller that closes the connection without having read it may have
// the system throw the answer away.
func (*HTTPError) AppendResponse(dst []byte, metrics string) []byte {
	text := "This is a PostgreSQL port, served by pgweir; it does not speak HTTP.\n"
	if metrics != "" {
		text += "Metrics are at " + clean(metrics) + "\n"
	}

	return fmt.Appendf(dst, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"+
		"Content-Length: %d\r\nConnection: close\r\n\r\n%s", len(text), text)
}

// isHTTP reports whether a connection's first bytes, four at least, are an HTTP
// request's. None of them can be a packet's length: as one they exceed 1 GB.
func isHTTP(b []byte) bool {
	switch string(b[:4]) {
	case "GET ", "POST", "HEAD", "PUT ", "OPTI", "DELE", "CONN", "PATC", "TRAC",
		"PRI ": // the preface of HTTP/2
		return true
	default:
		return false
	}
}
