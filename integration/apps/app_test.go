package apps

import (
	"fmt"
	"os/exec"
	"testing"

	"github.com/pgweir/pgweir/integration/clienttest"
	"github.com/pgweir/pgweir/internal/skiptest"
)

// An app is one program in one variant. It gets DATABASE_URL, and as arguments the
// variant, how many clients there are, and how many requests each does. It checks the
// answers itself.
type app struct {
	name    string
	variant string
	// command returns how it is run, after it has installed what the program needs.
	command func(t testing.TB) []string
	// loops are the tables of the statements that it runs in loops, one loop a request;
	// nil: it runs none.
	loops []string
}

// pair returns the two variants of a program. It shows users with their orders, and
// orders with their users.
func pair(name string, command func(testing.TB) []string) []app {
	return []app{
		{name, "loop", command, []string{"orders", "users"}},
		{name, "fixed", command, nil},
	}
}

// apps returns the programs that need Go alone, and the others with -all.
func apps() []app {
	list := append(pair("pgx", goApp("pgx")), pair("GORM", goApp("gorm"))...)
	for _, variant := range []string{
		"join", "poll", "skip-locked", "keyset", "tree", "retry", "import", "keep-alive", "mixed", "batch", "dataloader",
		"unique", "tenants",
	} {
		list = append(list, app{"pgx", variant, goApp("pgx"), nil})
	}
	if *all {
		list = append(list, pair("Django", pythonApp("django_app.py"))...)
		list = append(list, app{"Django", "tagged", pythonApp("django_app.py"), []string{"orders", "users"}})
		list = append(list, pair("SQLAlchemy", pythonApp("sqlalchemy_app.py"))...)
		list = append(list, pair("TypeORM", nodeApp)...)
		list = append(list, pair("Hibernate", javaApp)...)
		list = append(list, pair("Active Record", rubyApp)...)
	}

	return list
}

// goApp is a program of the module in go.
func goApp(name string) func(testing.TB) []string {
	return func(t testing.TB) []string {
		t.Helper()

		return clienttest.Go(t, name)
	}
}

// pythonApp is a program in python.
func pythonApp(file string) func(testing.TB) []string {
	return func(t testing.TB) []string {
		t.Helper()

		return clienttest.Python(t, "apps-python", file)
	}
}

// rubyApp is the program in ruby. It uses what Debian and Ubuntu have, without which it is
// skipped: there are no packages of a version of its own.
func rubyApp(t testing.TB) []string {
	t.Helper()
	if out, err := exec.Command("ruby", "-e", `require "active_record"; require "pg"`).CombinedOutput(); err != nil {
		skiptest.Skip(t, fmt.Errorf("no Active Record (Debian, Ubuntu: apt-get install ruby-activerecord ruby-pg): %w: %s", err, out))
	}

	return []string{"ruby", "ruby/activerecord.rb"}
}

// nodeApp is the program in node.
func nodeApp(t testing.TB) []string {
	t.Helper()

	return clienttest.Node(t, "apps-node", "typeorm.mjs")
}

// javaApp is the program in java.
func javaApp(t testing.TB) []string {
	t.Helper()

	return clienttest.Maven(t, "apps-java", "App")
}
