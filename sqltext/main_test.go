package sqltext

import (
	"os"
	"testing"

	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
