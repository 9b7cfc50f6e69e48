// Package clients has other people's code work through pgweir, unchanged: the test
// suites of two Go drivers, and short programs in the drivers and frameworks that
// applications use. Nothing imports it.
//
// Everything runs on three routes to PostgreSQL: direct, which says what is right,
// and through pgweir in session mode and in transaction mode, there with a pool of
// three servers that are used in turn, so that what depends on a server is noticed.
//
// go test runs what needs Go alone. With -all, as in make test-clients, it runs
// everything, and what is missing on the machine makes it fail.
package clients

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/pgweir/pgweir/integration/clienttest"
)

// all asks for the programs in other languages, and for all of the drivers' suites.
var all = flag.Bool("all", false, "run everything, and install what it needs in the user's cache")

// pgweirBuild is the program under test, with the race detector.
var pgweirBuild = clienttest.Build{Flags: []string{"-race"}}

// ledger is the table that is printed at the end.
var ledger table

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

// runTests runs the tests, prints the table and removes the program that was built.
func runTests(m *testing.M) int {
	flag.Parse()
	code := clienttest.RunTests(m, &pgweirBuild)
	if *all {
		fmt.Print(ledger.String())
	}

	return code
}
