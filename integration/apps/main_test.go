// Package apps judges the search for loops by small real programs that run through
// pgweir. Most are in two variants that do the same: one asks for what belongs to the
// rows of a list one by one (N+1), one all at once. pgweir has to find the first and say
// nothing of the second. Others repeat statements for good reasons, of which it has to say
// nothing either. Nothing imports it.
//
// go test runs what needs Go alone, with 1 and with 16 clients. With -all, as in make
// test-apps, it runs everything, also with 64, and prints a table; what is missing on the
// machine makes it fail, but for Active Record, which is skipped, and says so. -write puts the table into a page between two markers.
package apps

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/pgweir/pgweir/integration/clienttest"
)

// The flags.
var (
	all     = flag.Bool("all", false, "run everything, and install what it needs in the user's cache")
	writeTo = flag.String("write", "", "the page to write the table into")
)

// pgweirBuild is the program under test, as it is run: the race detector would change
// the pauses that the search for loops goes by.
var pgweirBuild clienttest.Build

// ledger has what was found.
var ledger report

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

// runTests runs the tests, prints the table and removes the program that was built.
func runTests(m *testing.M) int {
	flag.Parse()
	code := clienttest.RunTests(m, &pgweirBuild)
	if *all || testing.Verbose() {
		fmt.Print(ledger.String())
	}
	if *writeTo != "" {
		if err := ledger.writeInto(*writeTo); err != nil {
			fmt.Fprintln(os.Stderr, errors.Join(errors.New("write the table"), err))

			return 1
		}
	}

	return code
}
