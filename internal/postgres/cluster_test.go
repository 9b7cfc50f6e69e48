package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgweir/pgweir/internal/postgres"
	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

func TestStopLeavesNothing(t *testing.T) {
	root := newTempRoot(t)
	c := pgtest.Start(t)
	pids, err := c.Children()
	if err != nil {
		t.Fatal(err)
	}
	if len(pids) == 0 {
		t.Fatal("the server has no child processes: the test sees nothing")
	}
	conn := connect(t, c.URL("postgres")) // A client does not keep the server from stopping.

	for range 2 {
		if err := c.Stop(t.Context()); err != nil {
			t.Errorf("stop: %v", err)
		}
	}
	for _, pid := range append(pids, c.PID()) {
		if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
			t.Errorf("process %d is left (%v)", pid, err)
		}
	}
	assertNothingLeft(t, root)
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("a connection outlives the server")
	}
	if err := c.Signal(syscall.SIGHUP); err == nil {
		t.Error("a stopped cluster takes a signal")
	}
	if err := c.StartServer(t.Context()); err == nil {
		t.Error("a stopped cluster starts again")
	}
}

func TestStopIsBounded(t *testing.T) {
	root := newTempRoot(t)
	c := pgtest.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Stop(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("stop returns %v, want %v", err, context.Canceled)
	}
	assertNothingLeft(t, root)
}

func TestURLs(t *testing.T) {
	c := pgtest.Cluster(t)
	database := pgtest.NewDatabase(t)
	mustExec(t, c, `CREATE ROLE "some one" LOGIN PASSWORD 'p@ss/w:rd'`)
	t.Cleanup(func() { mustExec(t, c, `DROP ROLE "some one"`) })

	tests := []struct{ name, url, wantUser, wantAddress string }{
		{"tcp", c.URL(database), "postgres", "127.0.0.1/32"},
		{"socket", c.SocketURL(database), "postgres", "local"},
		{"other user", c.UserURL("some one", "p@ss/w:rd", database), "some one", "127.0.0.1/32"},
	}
	const query = "SELECT current_user, coalesce(inet_client_addr()::text, 'local'), current_database()"
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got [3]string
			if err := connect(t, tt.url).QueryRow(t.Context(), query).Scan(&got[0], &got[1], &got[2]); err != nil {
				t.Fatal(err)
			}
			want := [3]string{tt.wantUser, tt.wantAddress, database}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPasswordIsNeeded(t *testing.T) {
	c := pgtest.Cluster(t)
	database := pgtest.NewDatabase(t)
	for _, password := range []string{"", "wrong"} {
		conn, err := tryConnect(t, c.UserURL(c.User, password, database))
		if err == nil {
			conn.Close(t.Context())
			t.Errorf("password %q is accepted over TCP", password)
		}
	}
}

func TestOptions(t *testing.T) {
	root := newRoot(t)
	o := postgres.Options{
		Dir:       filepath.Join(root, "kept"),
		Settings:  map[string]string{"application_name": `it's a \ `},
		HBA:       []string{"host all all 127.0.0.1/32 trust"},
		SuperUser: "boss",
	}
	c := pgtest.Start(t, o)

	var user, name string
	// The password is wrong, and nobody asks for it.
	conn := connect(t, c.UserURL("boss", "wrong", "postgres"))
	if err := conn.QueryRow(t.Context(), "SELECT current_user, reset_val FROM pg_settings "+
		"WHERE name = 'application_name'").Scan(&user, &name); err != nil {
		t.Fatal(err)
	}
	if user != "boss" {
		t.Errorf("superuser is %q", user)
	}
	if want := `it's a \ `; name != want {
		t.Errorf("setting is %q, want %q", name, want)
	}

	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(o.Dir, "data", "PG_VERSION")); err != nil {
		t.Errorf("the directory that was asked for is not kept: %v", err)
	}
}

func TestLongTempDir(t *testing.T) {
	root := newTempRoot(t)
	long := filepath.Join(root, strings.Repeat("d", 100))
	if err := os.Mkdir(long, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(long, 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", long)

	c := pgtest.Start(t)
	if got := queryInt(t, c.SocketURL("postgres"), "SELECT 1"); got != 1 {
		t.Errorf("got %d", got)
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	assertNothingLeft(t, long)
	if _, err := os.Stat(c.SocketDir); err == nil {
		t.Error("the socket's directory is left")
	}
}

func TestStartErrors(t *testing.T) {
	binaries := pgtest.Binaries(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port

	tests := []struct {
		name string
		o    postgres.Options
		want string
	}{
		{
			"the log says why",
			postgres.Options{Settings: map[string]string{"no_such_setting": "1"}},
			`unrecognized configuration parameter "no_such_setting"`,
		},
		{"port in use", postgres.Options{Port: port}, fmt.Sprintf("on port %d: port is in use", port)},
		{"initdb says why", postgres.Options{SuperUser: "pg_reserved"}, "pg_reserved"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := newTempRoot(t)
			tt.o.Binaries = binaries
			_, err := postgres.Start(t.Context(), tt.o)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one with %q", err, tt.want)
			}
			assertNothingLeft(t, root)
		})
	}
}

func TestCancelledStart(t *testing.T) {
	// Instead of servers that take no connections there is one that says when it has been started.
	slow := newRoot(t)
	if err := os.Symlink(filepath.Join(pgtest.Binaries(t).Dir, "initdb"), filepath.Join(slow, "initdb")); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\necho started\nexec sleep 600\n"
	if err := os.WriteFile(filepath.Join(slow, "postgres"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}

	tests := []struct{ name, when string }{
		{"during initdb", "pgweir-postgres-*/data/base"},
		{"during the server's start", "pgweir-postgres-*/log"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := newTempRoot(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			result := make(chan error)
			go func() {
				_, err := postgres.Start(ctx, postgres.Options{Binaries: postgres.Binaries{Dir: slow}})
				result <- err
			}()

			eventually(t, "Start has come so far", func() bool { return hasContents(t, filepath.Join(root, tt.when)) })
			cancel()
			if err := <-result; !errors.Is(err, context.Canceled) {
				t.Errorf("got error %v, want %v", err, context.Canceled)
			}
			assertNothingLeft(t, root)
		})
	}
}

// hasContents reports whether a file that matches pattern is not empty.
func hasContents(t *testing.T, pattern string) bool {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.Size() > 0 {
			return true
		}
	}
	return false
}
