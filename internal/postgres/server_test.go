package postgres_test

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgweir/pgweir/internal/postgres"
	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

// tryConnect connects, for at most two seconds.
func tryConnect(t *testing.T, url string) (*pgx.Conn, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	return pgx.Connect(ctx, url)
}

func TestStoppedServerComesBack(t *testing.T) {
	root := newTempRoot(t)
	c := pgtest.Start(t)
	url := c.URL("postgres")
	mustExec(t, c, "CREATE TABLE kept AS SELECT 42 AS n")
	mustExec(t, c, "CHECKPOINT") // Commits are asynchronous.

	tests := []struct {
		name     string
		down     func() error
		wantCode string // for a connected client; "": the connection just ends
	}{
		{"fast", func() error { return c.StopServer(t.Context(), postgres.Fast) }, "57P01"},
		{"immediate", func() error { return c.StopServer(t.Context(), postgres.Immediate) }, ""},
		{"killed", c.Kill, ""},
		{"frozen and killed", func() error { return errors.Join(c.Signal(syscall.SIGSTOP), c.Kill()) }, ""},
		{"frozen and stopped", func() error {
			return errors.Join(c.Signal(syscall.SIGSTOP), c.StopServer(t.Context(), postgres.Fast))
		}, "57P01"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := sleepingClient(t, url)
			if err := tt.down(); err != nil {
				t.Fatal(err)
			}
			if got := sqlState(<-client); got != tt.wantCode {
				t.Errorf("client gets %q, want %q", got, tt.wantCode)
			}
			if pids := pgtest.ProcessesIn(t, root); len(pids) > 0 {
				t.Errorf("processes are left: %v", pids)
			}
			if _, err := tryConnect(t, url); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("connecting to a stopped server: %v", err)
			}

			if err := c.StartServer(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := queryInt(t, url, "SELECT n FROM kept"); got != 42 {
				t.Errorf("got %d, want 42", got)
			}
		})
	}
}

// sleepingClient starts a query that runs for ever, waits until it does, and returns where its error goes.
func sleepingClient(t *testing.T, url string) <-chan error {
	t.Helper()
	conn := connect(t, url)
	var pid int
	if err := conn.QueryRow(t.Context(), "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		t.Fatal(err)
	}
	result := make(chan error, 1)
	go func() {
		_, err := conn.Exec(context.Background(), "SELECT pg_sleep(3600)")
		result <- err
	}()

	watcher := connect(t, url)
	eventually(t, "the query runs", func() bool {
		var sleeps bool
		err := watcher.QueryRow(t.Context(), "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $1 "+
			"AND wait_event IS NOT NULL", pid).Scan(&sleeps)
		return err == nil && sleeps
	})
	return result
}

// sqlState returns the SQLSTATE of err, "" if the server did not send one.
func sqlState(err error) string {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return pgErr.Code
	}
	return ""
}

func TestRestart(t *testing.T) {
	c := pgtest.Cluster(t)
	before := c.PID()
	if err := c.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c.PID() == before {
		t.Error("the same server is running")
	}
	if got := queryInt(t, c.URL("postgres"), "SELECT 1"); got != 1 {
		t.Errorf("got %d", got)
	}

	running := c.PID()
	if err := c.StartServer(t.Context()); err != nil || c.PID() != running {
		t.Errorf("starting a running server: process %d is now %d, %v", running, c.PID(), err)
	}
}

func TestFreezeAndThaw(t *testing.T) {
	c := pgtest.Cluster(t)
	url := c.URL("postgres")
	conn := connect(t, url)
	if err := c.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}

	if _, err := tryConnect(t, url); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("connecting to a frozen server: %v", err)
	}
	answered := make(chan error, 1)
	go func() { answered <- conn.Ping(context.Background()) }()
	select {
	case err := <-answered:
		t.Fatalf("a frozen server answers (%v)", err)
	case <-time.After(100 * time.Millisecond):
	}

	if err := c.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Errorf("connection did not survive: %v", err)
	}
}

func TestSignalReloads(t *testing.T) {
	c := pgtest.Cluster(t)
	mustExec(t, c, "ALTER SYSTEM SET work_mem = '7MB'")
	t.Cleanup(func() { mustExec(t, c, "ALTER SYSTEM RESET work_mem") })
	if err := c.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	conn := connect(t, c.URL("postgres"))
	eventually(t, "the setting is in force", func() bool {
		var got string
		return conn.QueryRow(t.Context(), "SHOW work_mem").Scan(&got) == nil && got == "7MB"
	})
}

func TestConcurrentUse(t *testing.T) {
	c := pgtest.Cluster(t)
	var wg sync.WaitGroup
	for _, act := range []func(){
		func() { _ = c.Kill() },
		func() { _ = c.StopServer(t.Context(), postgres.Immediate) },
		func() { _ = c.StartServer(t.Context()) },
		func() { _ = c.Signal(syscall.SIGSTOP) },
		func() { _ = c.Log() },
		func() { _ = c.URL("postgres") },
	} {
		for range 3 {
			wg.Go(act)
		}
	}
	wg.Wait()

	if err := c.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := queryInt(t, c.URL("postgres"), "SELECT 1"); got != 1 {
		t.Errorf("got %d", got)
	}
}
