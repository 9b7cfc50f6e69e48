package postgres_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/pgweir/pgweir/internal/postgres"
	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

// parentVariable names the environment variable that turns the test binary into a program for a test to kill.
const parentVariable = "PGWEIR_TEST_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(parentVariable) != "" {
		os.Exit(parent())
	}
	os.Exit(pgtest.Main(m))
}

// parent starts a cluster, says so in one line, and leaves it running until its standard input ends.
func parent() int {
	c, err := postgres.Start(context.Background(), postgres.Options{})
	fmt.Println("started:", err)
	if err != nil {
		return 1
	}
	_, _ = os.Stdin.Read(make([]byte, 1))
	if err := c.Stop(context.Background()); err != nil {
		return 1
	}
	return 0
}
