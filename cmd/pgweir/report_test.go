package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// mustFit fails the test unless each line has room on a screen.
func mustFit(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > columns {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestReport(t *testing.T) {
	r := startRunning(t, nil)
	r.loop(t, "/orders")
	r.exec(t, "SELECT 'a column', 'and another', 'and one more' FROM users WHERE pg_sleep(0.01) IS NOT NULL", pgx.QueryExecModeSimpleProtocol)
	if code, _, _ := r.nplusone(t, "-fail-on-new"); code != exitFailure { // and all is judged
		t.Errorf("no loop was found: exit code %d", code)
	}
	code, stdout, stderr := pgweir(t, "report", "-url", r.web+"/", "-n", "2")
	if code != exitOK || stderr != "" {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	mustFit(t, stdout)
	mustSay(t, "stdout", stdout, "  statements             14, of 3 kinds; ")
	mustSay(t, "stdout", stdout, "\n  requests               2; 21 % of their statements are unique, 79 % repeat one of the same request\n")
	tables := strings.Split(stdout, "\n\n")
	for i, want := range []string{
		`Most time in PostgreSQL.*SELECT \$1, \$2, \$3 FROM users WHERE pg_sleep.*…\n.*`,
		`Slowest.*SELECT \$1, \$2, \$3 FROM users WHERE pg_sleep.*…\n.*`,
		`Most often.* 12 .*SELECT total FROM orders WHERE user_id = \$1\n.* 1 .*`,
		`Longest wait for a server.*`,
		`N\+1 and its like\n  n\+1 +proven +12 x   1 .*SELECT total FROM orders.*\n +/orders orders.user_id <- users.id .*`,
	} {
		if !regexp.MustCompile("^(?s:" + want + ")$").MatchString(tables[2+i]) {
			t.Errorf("table %d is not %s:\n%s", i+1, want, tables[2+i])
		}
	}
}

// TestReportOfNothing: what is not there is said.
func TestReportOfNothing(t *testing.T) {
	r := startRunning(t, map[string]string{"stats.nplusone": "false"})
	code, stdout, stderr := pgweir(t, "report", "-url", r.web)
	if code != exitOK || stderr != "" {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	mustSay(t, "stdout", stdout, "no statement was measured")
	mustSay(t, "stdout", stdout, "not looked for: nplusone = false in [stats]")
	mustFit(t, stdout)
	if code, stdout, _ := pgweir(t, "report", "-url", r.web, "-format", "json"); code != exitOK || strings.Contains(stdout, `"nplusone"`) {
		t.Errorf("as JSON: exit code %d, %s", code, stdout)
	}
}

// TestReportOfDatabases: where there are several, each statement says which it is of.
func TestReportOfDatabases(t *testing.T) {
	t.Parallel()
	var r report
	table := statements{}
	for _, raw := range []string{"shop", "shop", "blog"} {
		var s statements
		if err := json.Unmarshal([]byte(`{"statements": [{"database": "`+raw+`"}]}`), &s); err != nil {
			t.Fatal(err)
		}
		table.Statements = append(table.Statements, s.Statements...)
	}
	r.tables = []statements{table}
	if got := r.prefix("shop"); got != "shop: " {
		t.Errorf("among several: %q", got)
	}
	r.tables[0].Statements = table.Statements[:2]
	if got := r.prefix("shop"); got != "" {
		t.Errorf("alone: %q", got)
	}
}

// TestAskingNobody: what is wrong with the address, or with who is there, is said.
func TestAskingNobody(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/html") {
			_, _ = w.Write([]byte("<html>welcome</html>"))
		} else {
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(other.Close)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	off := startRunning(t, map[string]string{"stats.enabled": "false"})
	withoutHTTP := writeConfig(t, "[pgweir]\nhttp_listen = \"\"\n"+goodConfig)
	atGone := writeConfig(t, "[pgweir]\nhttp_listen = \""+strings.TrimPrefix(gone.URL, "http://")+"\"\n"+goodConfig)
	for _, tt := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"nobody there", []string{"-url", gone.URL}, exitFailure, "no pgweir at " + gone.URL},
		{"nobody at http_listen", []string{"-c", atGone}, exitFailure, "no pgweir at " + gone.URL},
		{"somebody else", []string{"-url", other.URL}, exitFailure, "404 Not Found"},
		{"a web page", []string{"-url", other.URL + "/html"}, exitFailure, "does not answer as pgweir does"},
		{"turned off", []string{"-url", off.web}, exitFailure, "enabled = false in [stats]"},
		{"no HTTP", []string{"-c", withoutHTTP}, exitConfig, "there is nobody to ask"},
		{"no configuration", []string{"-c", "none.toml"}, exitConfig, "none.toml"},
		{"no URL", []string{"-url", "127.0.0.1:9127"}, exitUsage, "is not a URL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, command := range []string{"report", "nplusone"} {
				code, stdout, stderr := pgweir(t, append([]string{command}, tt.args...)...)
				if code != tt.code {
					t.Errorf("%s: exit code %d, want %d", command, code, tt.code)
				}
				mustSay(t, command+", stdout", stdout, "")
				mustSay(t, command+", stderr", stderr, tt.says)
			}
		})
	}
}

// TestReachable: what is listened on is not always what can be connected to.
func TestReachable(t *testing.T) {
	t.Parallel()
	for listen, want := range map[string]string{
		"127.0.0.1:9127": "127.0.0.1:9127",
		":9127":          "127.0.0.1:9127",
		"0.0.0.0:9127":   "127.0.0.1:9127",
		"[::]:9127":      "127.0.0.1:9127",
		"[::1]:9127":     "[::1]:9127",
		"db.local:9127":  "db.local:9127",
	} {
		if got := reachable(listen); got != want {
			t.Errorf("%s: %s, want %s", listen, got, want)
		}
	}
}

func TestTook(t *testing.T) {
	t.Parallel()
	for ms, want := range map[float64]string{
		0: "0 µs", 0.0005: "0.50 µs", 0.0452: "45.2 µs", 0.9994: "999 µs", 0.9996: "1.00 ms", 1.234: "1.23 ms",
		9.996: "10.0 ms", 812: "812 ms", 999.6: "1.00 s", 12_345: "12.3 s", 99_940: "99.9 s", 120_000: "2.00 min",
		6_600_000: "1.83 h", 3.6e12: "1000000 h",
	} {
		if got := took(ms); got != want {
			t.Errorf("%v ms: %s, want %s", ms, got, want)
		}
	}
}

func TestCutAndWrap(t *testing.T) {
	t.Parallel()
	if got := cut("SELECT\n\t'é'  \x1b[31m", 12); got != "SELECT 'é' …" {
		t.Errorf("cut: %q", got)
	}
	if got := cut("short", 5); got != "short" {
		t.Errorf("cut: %q", got)
	}
	for _, tt := range []struct {
		text  string
		most  int
		lines string
	}{
		{"", 3, ""},
		{"one two three", 3, "one two|three"},
		{"a-very-long-word b", 3, "a-very-l…|b"},
		{"one two three four five six", 2, "one two|three …"},
		{"one two threefour five", 2, "one two|threef… …"},
	} {
		if got := strings.Join(wrap(tt.text, 9, tt.most), "|"); got != tt.lines {
			t.Errorf("%q: %s, want %s", tt.text, got, tt.lines)
		}
	}
}
