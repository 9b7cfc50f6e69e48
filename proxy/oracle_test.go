package proxy

import (
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/internal/postgres"
	"github.com/pgweir/pgweir/internal/postgres/pgtest"
	"github.com/pgweir/pgweir/wire"
)

// An oracle is PostgreSQL reached both ways: what it answers directly is what it
// must answer through the proxy.
type oracle struct {
	*rig
	cluster  *postgres.Cluster
	database string
	admin    *client // direct, to prepare and look
}

// newOracle starts a proxy in front of a database of the test's own. Tables t, with a
// primary key, and d, with a deferred one, are there and empty.
func newOracle(t testing.TB, change func(*config.Pgweir)) *oracle {
	t.Helper()

	return newOracleWith(t, func(c *config.Config) {
		if change != nil {
			change(&c.Pgweir)
		}
	})
}

// newOracleWith is newOracle with a change of any settings.
func newOracleWith(t testing.TB, change func(*config.Config)) *oracle {
	t.Helper()
	o := &oracle{cluster: pgtest.Cluster(t), database: pgtest.NewDatabase(t)}
	checkLeaks(t)
	c := config.Default()
	c.Pgweir.AuthType = config.AuthTrust
	c.Pgweir.DefaultPoolSize = 1
	c.Databases["db"] = config.Database{
		Host: o.cluster.Host, Port: o.cluster.Port, DBName: o.database,
		User: o.cluster.User, Password: config.Secret(o.cluster.Password),
		MinPoolSize: config.Inherit, ReservePoolSize: config.Inherit, MaxDBConnections: config.Inherit,
	}
	change(c)
	o.rig = newRig(t, c)
	o.admin = o.direct(t)
	o.do("CREATE TABLE t (id int PRIMARY KEY, x text)")
	o.do("CREATE TABLE d (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)")

	return o
}

// direct logs in to PostgreSQL itself.
func (o *oracle) direct(t testing.TB) *client {
	t.Helper()

	return o.directly(t, wire.Version30)
}

// directly is direct with a version of the protocol to ask for, and settings.
func (o *oracle) directly(t testing.TB, v wire.Version, settings ...wire.Parameter) *client {
	t.Helper()
	secret, err := wire.ParseSecret(o.cluster.Password)
	if err != nil {
		t.Fatal(err)
	}

	return dial(t, o.address()).login(wire.LoginParams{
		User: o.cluster.User, Database: o.database, Parameters: settings,
		Version: v, Credentials: wire.CredentialsFromSecret(secret),
	})
}

// address is where PostgreSQL listens.
func (o *oracle) address() string {
	return net.JoinHostPort(o.cluster.Host, strconv.Itoa(o.cluster.Port))
}

// do runs SQL directly and returns the first column of the first row, if any.
func (o *oracle) do(sql string) string {
	o.t.Helper()
	o.admin.send(query(sql))
	value := ""
	for _, f := range o.admin.until("Z") {
		switch f.typ {
		case wire.ErrorResponse:
			o.t.Fatalf("%s: %v", sql, f)
		case wire.DataRow:
			value = string(f.body[6:])
		}
	}

	return value
}

// A step of a conversation: what the client sends, and the types of the frames that
// it then waits for, in order, with '.' for the end of the connection.
type step struct {
	send  []byte
	until string
}

// A sender writes the bytes of a step.
type sender func(c *client, b []byte)

// whole is the sender that writes them all at once.
func whole(c *client, b []byte) {
	c.send(b)
}

// hold holds a conversation and returns what the server says, and then, to find out
// whether anything is left behind, a last word.
func hold(c *client, steps []step, write sender) []string {
	c.t.Helper()
	var heard []string
	for _, s := range steps {
		write(c, s.send)
		until, end := strings.CutSuffix(s.until, ".")
		heard = append(heard, traces(c.until(until))...)
		if end {
			return append(heard, c.rest()...)
		}
	}
	c.send(query("SELECT 'the end'"))
	heard = append(heard, traces(c.until("Z"))...)
	c.send(terminate())

	return append(heard, c.rest()...)
}

// rest reads until the connection ends.
func (c *client) rest() []string {
	c.t.Helper()
	var heard []string
	for {
		f, err := c.read()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			c.t.Fatalf("client: the connection was not closed after %q", heard)
		}
		if err != nil {
			return heard
		}
		heard = append(heard, f.String())
	}
}

// compare holds a conversation with PostgreSQL and with the proxy, and compares
// what both say and what is in the tables then.
func (o *oracle) compare(t *testing.T, c conversation, writers ...sender) {
	t.Helper()
	want := o.observe(o.direct(t), c.steps, whole)
	for _, write := range append([]sender{whole}, writers...) {
		got := o.observe(o.through(t), c.steps, write)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("directly (-) and through the proxy (+):\n%s", diff)
		}
	}
}

// through logs in to the proxy. The client fails t, not the test that has the proxy.
func (o *oracle) through(t *testing.T) *client {
	t.Helper()
	c := o.connect()
	c.t = t

	return c
}

// observe holds a conversation on fresh tables and adds what it left in them.
func (o *oracle) observe(c *client, steps []step, write sender) []string {
	c.t.Helper()
	o.do("TRUNCATE t, d")
	heard := hold(c, steps, write)
	_ = c.nc.Close()

	return append(heard, "t: "+o.do("SELECT string_agg(id || ' ' || coalesce(x, '-'), ',' ORDER BY id) FROM t"),
		"d: "+o.do("SELECT count(*) FROM d"))
}

// TestCutEverywhere: it makes no difference where TCP cuts the client's bytes in two.
func TestCutEverywhere(t *testing.T) {
	o := newOracle(t, nil)
	stride := 1
	if testing.Short() {
		stride = 7
	}
	for _, c := range conversations() {
		t.Run(c.name, func(t *testing.T) {
			want := o.observe(o.direct(t), c.steps, whole)
			for at := 1; at < c.longest(); at += stride {
				got := o.observe(o.through(t), c.steps, o.cutAt(at))
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("cut after %d bytes: directly (-) and through the proxy (+):\n%s", at, diff)
				}
			}
		})
	}
}

// cutAt cuts the bytes of each step in two.
func (o *oracle) cutAt(at int) sender {
	return func(c *client, b []byte) {
		at := min(at, len(b))
		c.send(b[:at])
		o.settle()
		c.send(b[at:])
	}
}
