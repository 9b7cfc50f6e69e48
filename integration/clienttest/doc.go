// Package clienttest is for tests of the built program: it builds and runs pgweir, reads
// its log, and installs what other people's code needs that is to work through it. What cannot be done ends the test.
package clienttest
