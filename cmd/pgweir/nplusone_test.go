package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pgweir/pgweir/sqltext"
	"github.com/pgweir/pgweir/stats/nplusone"
)

// nplusone runs the command against the pooler.
func (r *running) nplusone(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()

	return pgweir(t, append([]string{"nplusone", "-url", r.web}, args...)...)
}

// TestNPlusOne reads what was found, as a person does.
func TestNPlusOne(t *testing.T) {
	r := startRunning(t, nil)
	r.loop(t, "GET /orders\x1b[1m") // the route is the client's choice
	code, stdout, stderr := r.nplusone(t)
	for deadline := time.Now().Add(time.Minute); !strings.Contains(stdout, "n+1") && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond) // a request is over after a pause
		code, stdout, stderr = r.nplusone(t)
	}
	if code != exitOK || stderr != "" {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	mustFit(t, stdout)
	for _, want := range []string{
		"1. n+1, proven: 12 executions in a request, seen once\n",
		"   route      GET /orders[1m\n", // and not what a terminal obeys
		"   statement  SELECT total FROM orders WHERE user_id = $1\n",
		"   after      SELECT id FROM users\n",
		"   proof      orders.user_id <- users.id (12/12 values)\n",
		" 12 round trips\n",
		"   from       shop, ",
		" WHERE orders.user_id = ANY($1), or JOIN orders ON\n              orders.user_id = users.id.\n",
		"   id         " + sqltext.Fingerprint([]byte("SELECT total FROM orders WHERE user_id = 5"), sqltext.Options{}).String() + "\n",
	} {
		mustSay(t, "stdout", stdout, want)
	}
	if code, stdout, _ := r.nplusone(t, "-json"); code != exitOK || !strings.HasPrefix(stdout, `{"findings":[{"kind":"n+1",`) {
		t.Errorf("exit code %d, %s", code, stdout)
	}
}

// TestNPlusOneBaseline: with a baseline only what is not in it fails, and its number is
// told.
func TestNPlusOneBaseline(t *testing.T) {
	r := startRunning(t, nil)
	baseline := filepath.Join(t.TempDir(), "known.json")
	r.loop(t, "/known")
	if code, _, stderr := r.nplusone(t, "-write-baseline", baseline); code != exitOK {
		t.Fatalf("write: exit code %d, %s", code, stderr)
	}
	if code, stdout, _ := r.nplusone(t, "-baseline", baseline, "-fail-on-new"); code != exitOK {
		t.Errorf("nothing new: exit code %d, %s", code, stdout)
	}
	r.loop(t, "/new")
	code, stdout, stderr := r.nplusone(t, "-baseline", baseline, "-fail-on-new")
	known := regexp.MustCompile(`(\d)\. n\+1, proven \(known\)`).FindStringSubmatch(stdout)
	if code != exitFailure || known == nil {
		t.Fatalf("something new: exit code %d, %s\n%s", code, stderr, stdout)
	}
	other := map[string]string{"1": "2", "2": "1"}[known[1]]
	mustSay(t, "stderr", stderr, "pgweir: there are new findings ("+other+"): ")
	if code, _, stderr := r.nplusone(t, "-baseline", baseline+".none", "-fail-on-new"); code != exitFailure || !strings.Contains(stderr, "known.json.none") {
		t.Errorf("a baseline that is not there: exit code %d, %s", code, stderr)
	}
}

// TestNPlusOneConfidence: what is a mere suspicion is no reason to fail, unless one asks
// for that.
func TestNPlusOneConfidence(t *testing.T) {
	r := startRunning(t, nil)
	r.guess(t)
	for _, tt := range []struct {
		confidence string
		code       int
	}{{"suspected", exitFailure}, {"likely", exitOK}, {"proven", exitOK}} {
		code, stdout, _ := r.nplusone(t, "-fail-on-new", "-confidence", tt.confidence)
		if code != tt.code || !strings.Contains(stdout, "n+1, suspected: 30 executions") {
			t.Errorf("%s: exit code %d, %s", tt.confidence, code, stdout)
		}
	}
	if code, stdout, _ := r.nplusone(t, "-fail-on-new"); code != exitOK {
		t.Errorf("by default: exit code %d, %s", code, stdout)
	}
}

// TestFaults: many statements, or one that leads to the next, may be what a program needs.
func TestFaults(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]bool{
		nplusone.KindNPlusOne: true, nplusone.KindDuplicate: true, nplusone.KindWriteLoop: true,
		nplusone.KindRecursive: false, nplusone.KindChatty: false,
	} {
		if got := isFault(&nplusone.Finding{Kind: kind}); got != want {
			t.Errorf("%s: %v, want %v", kind, got, want)
		}
	}
}

func TestNPlusOneUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"-write-baseline"}, {"-write-baseline", "x", "-fail-on-new"}, {"-confidence", "sure"}, {"stray"}, {"-url", "x"},
	} {
		code, stdout, stderr := pgweir(t, append([]string{"nplusone"}, args...)...)
		if code != exitUsage || stdout != "" || !strings.Contains(stderr, "see pgweir nplusone --help") {
			t.Errorf("%v: exit code %d, %s%s", args, code, stdout, stderr)
		}
	}
}
