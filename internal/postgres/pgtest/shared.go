package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/pgweir/pgweir/internal/postgres"
)

// binary is what the tests of this test binary share. It is the package's only state: TestMain and the tests have
// nothing else in common that could hold it.
var binary shared

// errNoMain is returned when nobody would stop the shared cluster.
var errNoMain = errors.New("pgtest.Cluster needs func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }")

// shared holds PostgreSQL's programs and a cluster, each from when somebody first asks for it. The zero value is ready
// for use.
type shared struct {
	ensured  sync.Once
	binaries postgres.Binaries // valid once ensured
	missing  error             // why there are none; valid once ensured

	// mu guards the following.
	mu      sync.Mutex
	stopper bool // Main runs, and will stop the cluster
	cluster *postgres.Cluster
	err     error // why there is no cluster
}

// Main runs the tests, stops the cluster that they share, and returns the exit code for os.Exit.
func Main(m *testing.M) int {
	binary.mu.Lock()
	binary.stopper = true
	binary.mu.Unlock()

	code := m.Run()
	if err := binary.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop PostgreSQL:", err)
		return max(code, 1)
	}
	return code
}

// Cluster returns the cluster that the tests of this binary share, started with default options. They must leave it
// running. TestMain must have called Main.
func Cluster(t testing.TB) *postgres.Cluster {
	t.Helper()
	binaries := Binaries(t)
	c, err := binary.get(binaries)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ensure finds or installs PostgreSQL. What has failed is not tried again for the next test.
func (s *shared) ensure() (postgres.Binaries, error) {
	s.ensured.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), installTimeout)
		defer cancel()
		s.binaries, s.missing = postgres.Ensure(ctx, os.Stderr)
	})
	return s.binaries, s.missing
}

// get returns the cluster, started if this is the first call. A failed start is not tried again.
func (s *shared) get(binaries postgres.Binaries) (*postgres.Cluster, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopper {
		return nil, errNoMain
	}
	if s.cluster == nil && s.err == nil {
		s.cluster, s.err = start(postgres.Options{Binaries: binaries})
	}
	return s.cluster, s.err
}

// stop stops the cluster if there is one.
func (s *shared) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cluster == nil {
		return nil
	}
	return stop(s.cluster)
}
