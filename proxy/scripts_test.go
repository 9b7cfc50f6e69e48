package proxy

import (
	"net"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/pgweir/pgweir/internal/wirescript"
)

// TestScripts plays the scripts of package integration with one server and each byte,
// at first, by itself: the proxy has seen it before the next one comes.
func TestScripts(t *testing.T) {
	o := newOracle(t, nil)
	o.tick()
	scripts, err := wirescript.ReadDir("../integration/testdata/wire")
	if err != nil {
		t.Fatal(err)
	}
	version := o.version()
	for _, s := range scripts {
		if s.Servers > 1 {
			continue // integration has more for it
		}
		t.Run(s.Name, func(t *testing.T) {
			o.clean()
			want, err := s.Play(o.itself())
			if err != nil {
				t.Fatalf("%v; the transcript:\n%s", err, want)
			}
			o.clean()
			got, err := s.Play(o.target())
			if err != nil {
				t.Error(err)
			}
			if complaint := s.Judge(want, got, "one", version); complaint != "" {
				t.Error(complaint)
			}
		})
	}
}

// clean makes the database as scripts expect it.
func (o *oracle) clean() {
	o.t.Helper()
	o.do("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE t (id int PRIMARY KEY, x text);" +
		"CREATE TABLE d (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
}

// itself is PostgreSQL itself as the target of a script.
func (o *oracle) itself() wirescript.Target {
	socket := filepath.Join(o.cluster.SocketDir, ".s.PGSQL."+strconv.Itoa(o.cluster.Port))
	dial := func() (net.Conn, error) { return net.Dial("unix", socket) }

	return wirescript.Target{
		Dial: dial, User: o.cluster.User, Database: o.database,
		Direct: dial, DirectUser: o.cluster.User, DirectDatabase: o.database, Oracle: true,
	}
}

// target is the proxy as the target of a script.
func (o *oracle) target() wirescript.Target {
	t := o.itself()
	t.Oracle, t.Database = false, "db"
	t.Dial = func() (net.Conn, error) { return net.Dial("tcp", o.addr) }
	t.Send = func(nc net.Conn, b []byte) {
		const alone = 50
		for i := range min(len(b), alone) {
			_, _ = nc.Write(b[i : i+1])
			o.settle()
		}
		_, _ = nc.Write(b[min(len(b), alone):])
	}

	return t
}
