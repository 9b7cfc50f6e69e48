package apps

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pgweir/pgweir/integration/clienttest"
	"github.com/pgweir/pgweir/internal/postgres"
	"github.com/pgweir/pgweir/internal/postgres/pgtest"
)

// The role and the database of the programs.
const (
	appUser     = "app"
	appPassword = "secret"
	database    = "app"
)

// ids are the first ids of the tables that are tried, by name: those of a young database
// are in each table, and in each page of it.
func ids() map[string]int { return map[string]int{"small": 1, "large": 10_000} }

// A load is how many clients there are, and how many requests each does.
type load struct{ clients, requests int }

// loads returns the loads that are tried.
func loads() []load {
	list := []load{{1, 8}, {16, 4}}
	if *all {
		list = append(list, load{64, 2})
	}

	return list
}

// poolSize is how many servers there are for them: more than twice the clients, as one
// program holds two at a time.
const poolSize = 140

// patience is how long one program may take.
const patience = 3 * time.Minute

// TestApps runs each program through a pgweir of its own and judges what that says.
func TestApps(t *testing.T) {
	c := pgtest.Start(t)
	execSQL(t, c, "postgres", "CREATE ROLE app LOGIN PASSWORD '"+appPassword+"'")
	for name, first := range ids() {
		newShop(t, c, name, first)
	}
	for _, a := range apps() {
		t.Run(a.name+"/"+a.variant, func(t *testing.T) {
			command := a.command(t)
			if *all { // what does not work there says nothing about pgweir
				refill(t, c, "small")
				runApp(t, append(command, a.variant, "1", "1"), c.Host, c.Port)
			}
			for _, r := range runsOf(a) {
				t.Run(fmt.Sprintf("%d clients, %s ids", r.load.clients, r.ids), func(t *testing.T) {
					refill(t, c, r.ids)
					judge(t, r, findings(t, c, a, command, r.load))
				})
			}
		})
	}
}

// runsOf returns the runs of a program: each load on both kinds of ids; without -all one
// client on small ids and the others on large ones.
func runsOf(a app) []run {
	var list []run
	for _, name := range []string{"small", "large"} {
		for _, l := range loads() {
			if *all || (name == "small") == (l.clients == 1) {
				list = append(list, run{a, name, l})
			}
		}
	}

	return list
}

// newShop makes the database that those of the programs are copies of.
func newShop(t testing.TB, c *postgres.Cluster, name string, first int) {
	t.Helper()
	schema, err := os.ReadFile("schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	execSQL(t, c, "postgres", "CREATE DATABASE shop_"+name+" OWNER app")
	execSQL(t, c, "shop_"+name, fmt.Sprintf("SET app.first = %d; SET SESSION AUTHORIZATION app; %s", first, schema))
}

// refill makes the database of the program anew.
func refill(t testing.TB, c *postgres.Cluster, name string) {
	t.Helper()
	execSQL(t, c, "postgres", "DROP DATABASE IF EXISTS app WITH (FORCE)")
	execSQL(t, c, "postgres", "CREATE DATABASE app OWNER app TEMPLATE shop_"+name)
}

// execSQL runs SQL in PostgreSQL directly.
func execSQL(t testing.TB, c *postgres.Cluster, database, sql string) {
	t.Helper()
	if err := c.Exec(t.Context(), database, sql); err != nil {
		t.Fatal(err)
	}
}

// findings runs a program through a new pgweir and returns what that has found once all
// clients are gone.
func findings(t testing.TB, c *postgres.Cluster, a app, command []string, l load) []finding {
	t.Helper()
	p := clienttest.Start(t, &pgweirBuild, configOf(c))
	web := p.Await(t, "metrics and health", "url")
	runApp(t, append(command, a.variant, strconv.Itoa(l.clients), strconv.Itoa(l.requests)), "127.0.0.1", p.Port)
	for deadline := time.Now().Add(patience); !strings.Contains(get(t, web+"/metrics"), "\npgweir_clients 0\n"); {
		if time.Now().After(deadline) {
			t.Fatalf("the program is gone, its clients are not after %v", patience)
		}
		time.Sleep(10 * time.Millisecond)
	}
	var answer struct{ Findings []finding }
	if err := json.Unmarshal([]byte(get(t, web+"/api/nplusone?settle=true")), &answer); err != nil {
		t.Fatal(err)
	}

	return answer.Findings
}

// configOf returns pgweir's configuration.
func configOf(c *postgres.Cluster) map[string]any {
	return map[string]any{
		"pgweir": map[string]any{
			"listen_port": 0, "http_listen": "127.0.0.1:0", "log_format": "json", "loops": 2,
			"log_connections": false, "log_disconnections": false, "default_pool_size": poolSize,
		},
		"databases": map[string]any{"*": map[string]any{"host": c.Host, "port": c.Port}},
		"users":     map[string]any{appUser: map[string]any{"password": appPassword}},
	}
}

// runApp runs a program.
func runApp(t testing.TB, command []string, host string, port int) {
	t.Helper()
	at := url.URL{
		Scheme: "postgres", User: url.UserPassword(appUser, appPassword),
		Host: net.JoinHostPort(host, strconv.Itoa(port)), Path: "/" + database, RawQuery: "sslmode=disable",
	}
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "DATABASE_URL="+at.String(), "PYTHONDONTWRITEBYTECODE=1")
	cmd.WaitDelay = time.Second
	timer := time.AfterFunc(patience, func() {
		if cmd.Process != nil {
			_ = cmd.Process.Kill()
		}
	})
	defer timer.Stop()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", command, err, out)
	}
}

// get fetches a page.
func get(t testing.TB, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v: %s", url, resp.Status, err, b)
	}

	return string(b)
}
