// Package clienttest is for tests that have other people's code work through pgweir: it
// builds and runs pgweir, reads its log, and installs what programs in other languages
// need. What cannot be done ends the test.
package clienttest
