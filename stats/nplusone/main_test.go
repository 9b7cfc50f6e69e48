package nplusone

import (
	"os"
	"testing"

	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

// TestMain stops the PostgreSQL that the tests share.
func TestMain(m *testing.M) {
	os.Exit(pgtest.Main(m))
}
