// Package integration tests pgweir as its users meet it: the built program, real
// clients, a real PostgreSQL. Nothing imports it.
//
// Each test starts a pgweir of its own with [start], which checks at the end that
// the program has left nothing behind: see [pgweir.stop].
package integration

import (
	"os"
	"testing"

	"github.com/pgweir/pgweir/integration/clienttest"
)

func TestMain(m *testing.M) { os.Exit(clienttest.RunTests(m, &raceBuild, &plainBuild)) }

// The programs under test, built when first asked for. They are this package's only
// state: TestMain and the tests have nothing else in common that could hold them.
var (
	raceBuild  = clienttest.Build{Flags: []string{"-race"}}
	plainBuild clienttest.Build // for what the race detector distorts: memory
)
