package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgweir/pgweir/internal/postgres"
	"github.com/pgweir/pgweir/internal/skiptest"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

func TestClusterIsShared(t *testing.T) {
	if a, b := Cluster(t), Cluster(t); a != b {
		t.Error("two calls return two clusters")
	}
}

func TestClusterNeedsMain(t *testing.T) {
	var s shared
	if _, err := s.get(Binaries(t)); !errors.Is(err, errNoMain) {
		t.Errorf("got error %v, want %v", err, errNoMain)
	}
}

func TestNewDatabase(t *testing.T) {
	c := Cluster(t)
	var first, second string
	t.Run("made", func(t *testing.T) {
		first, second = NewDatabase(t), NewDatabase(t)
		if first == second {
			t.Errorf("two databases are called %s", first)
		}
		// It stays open: the database is dropped all the same.
		if _, err := pgx.Connect(t.Context(), c.URL(first)); err != nil {
			t.Error(err)
		}
	})

	conn, err := pgx.Connect(t.Context(), c.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var left int
	names := []string{first, second}
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_database WHERE datname = ANY ($1)", names).
		Scan(&left); err != nil {
		t.Fatal(err)
	}
	if left != 0 {
		t.Errorf("%d databases are left after the test", left)
	}
}

func TestDatabaseName(t *testing.T) {
	tests := []struct{ name, test, wantPrefix string }{
		{"plain", "TestCopy", "testcopy_"},
		{"subtest", "TestCopy/in=1 MB", "testcopy_in_1_mb_"},
		{"long", "Test" + strings.Repeat("x", 100), "test" + strings.Repeat("x", 36) + "_"},
		{"not ASCII", "Testä", "test__"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const maxBytes = 63 // NAMEDATALEN - 1
			got := databaseName(tt.test)
			if !strings.HasPrefix(got, tt.wantPrefix) || len(got) > maxBytes {
				t.Errorf("got %q, want prefix %q and at most %d bytes", got, tt.wantPrefix, maxBytes)
			}
		})
	}
}

func TestStart(t *testing.T) {
	var stopped *postgres.Cluster
	t.Run("started", func(t *testing.T) {
		stopped = Start(t, postgres.Options{Settings: map[string]string{"work_mem": "5MB"}})
		conn, err := pgx.Connect(t.Context(), stopped.URL("postgres"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		var got string
		if err := conn.QueryRow(t.Context(), "SHOW work_mem").Scan(&got); err != nil || got != "5MB" {
			t.Errorf("work_mem is %q, %v", got, err)
		}
	})
	if _, err := os.Stat(stopped.SocketDir); err == nil {
		t.Error("the cluster is still there after its test")
	}
}

func TestSkipOrFail(t *testing.T) {
	tests := []struct {
		name, require string
		err           error
		want          string
	}{
		{"found", "1", nil, ""},
		{"missing", "", postgres.ErrNotFound, "skipped"},
		{"missing and required", "1", postgres.ErrNotFound, "failed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv(requireVariable, tt.require)
			t.Setenv(skiptest.FileVariable, filepath.Join(t.TempDir(), "skipped")) // nothing is, really
			fake := &fakeTest{TB: t}
			var wg sync.WaitGroup
			wg.Go(func() { Require(fake, tt.err) })
			wg.Wait()
			if fake.outcome != tt.want {
				t.Errorf("test is %q, want %q", fake.outcome, tt.want)
			}
			if tt.err != nil && !strings.Contains(fake.reason, tt.err.Error()) {
				t.Errorf("reason %q does not contain %q", fake.reason, tt.err)
			}
		})
	}
}

// fakeTest records how the test ended, and ends its goroutine as a test would.
type fakeTest struct {
	testing.TB
	outcome, reason string
}

func (f *fakeTest) Name() string { return "a test that is only simulated" }

func (f *fakeTest) Skip(args ...any) {
	f.outcome, f.reason = "skipped", fmt.Sprint(args...)
	runtime.Goexit()
}

func (f *fakeTest) Fatalf(format string, args ...any) {
	f.outcome, f.reason = "failed", fmt.Sprintf(format, args...)
	runtime.Goexit()
}
