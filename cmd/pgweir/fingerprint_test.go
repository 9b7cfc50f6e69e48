package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fingerprints runs the subcommand with a standard input.
func fingerprints(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = finish(fingerprint(args, strings.NewReader(stdin), &out, &errs), &errs)

	return code, out.String(), errs.String()
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := fingerprints(t, "",
		"UPDATE s.a SET b = 'x' FROM c /*route='%2Fusers',app='shop'*/; SELECT 1", "", "SELECT 'x")
	const want = `fingerprint  76be56e1ab1f73b1
kind         update
tables       s.a, c
written      s.a
tags         route=/users, application=shop
text         UPDATE s.a SET b = $1 FROM c

fingerprint  74f873fba398c28f
kind         select
text         SELECT $1

fingerprint  6fcd704667639b47
kind         empty

fingerprint  1c194bd3bf1381d9
kind         invalid
text         __invalid__
`
	if code != exitOK || stdout != want || stderr != "" {
		t.Errorf("exit code %d, stderr %q, stdout:\n%s", code, stderr, stdout)
	}
}

func TestFingerprintJSON(t *testing.T) {
	t.Parallel()
	code, stdout, _ := fingerprints(t, "", "--json", "INSERT INTO a SELECT 1 FROM b WHERE c < 2 /*route='x'*/; COMMIT")
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if code != exitOK || len(lines) != 2 {
		t.Fatalf("exit code %d, stdout %s", code, stdout)
	}
	want := `{"fingerprint":"691830653fe40bd2","kind":"insert","summary":"INSERT a SELECT b","tables":["a","b"],"written":["a"],` +
		`"tags":{"route":"x"},"text":"INSERT INTO a SELECT $1 FROM b WHERE c < $2"}`
	if lines[0] != want {
		t.Errorf("%s, want\n%s", lines[0], want)
	}
	var second map[string]any
	if err := json.Unmarshal([]byte(lines[1]), &second); err != nil || second["kind"] != "commit" {
		t.Errorf("%s: %v", lines[1], err)
	}
}

// TestFingerprintOfLines: lines that are no input are named, and do not stop the rest.
func TestFingerprintOfLines(t *testing.T) {
	t.Parallel()
	stdin := `{"query": "SELECT 1", "calls": 5}` + "\n\n" + `{"query": "secret}` + "\n" + `{"query": 5}` + "\n[]\n" +
		`{"query": "COMMIT"}`
	code, stdout, stderr := fingerprints(t, stdin)
	if code != exitFailure || strings.Count(stdout, "fingerprint") != 2 {
		t.Errorf("exit code %d, stdout:\n%s", code, stdout)
	}
	const want = "pgweir: line 3: not JSON, at byte 18\n" +
		"pgweir: line 4: want an object with a string \"query\"\n" +
		"pgweir: line 5: want an object with a string \"query\"\n"
	if stderr != want {
		t.Errorf("stderr:\n%s", stderr)
	}
	if code, _, stderr := fingerprints(t, stdin[:33]); code != exitOK || stderr != "" {
		t.Errorf("a good line: exit code %d, %s", code, stderr)
	}
}

func TestFingerprintLexing(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--backslashes", `SELECT 'a\', secret, 'b'`},
		{"--encoding", "SJIS", "SELECT E'\x95\\', secret"},
		{"--merge-numbered", "SELECT a FROM orders_2024_01"},
	} {
		_, plain, _ := fingerprints(t, "", args[len(args)-1])
		_, other, _ := fingerprints(t, "", args...)
		if plain == other {
			t.Errorf("%q makes no difference: %s", args, plain)
		}
	}
	if code, _, stderr := fingerprints(t, "", "--encoding", "KLINGON", "SELECT 1"); code != exitUsage || stderr == "" {
		t.Errorf("an unknown encoding: exit code %d, %s", code, stderr)
	}
}

// TestFingerprintsPage runs the commands of the page and compares what they print.
func TestFingerprintsPage(t *testing.T) {
	const file = "../../docs/fingerprints.md"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "pgweir")); err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```console\n\\$ (.*?)\n((?:[^$>].*?)?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) < 5 {
		t.Fatalf("only %d examples in %s", len(blocks), file)
	}
	for _, block := range blocks {
		command, want := strings.ReplaceAll(block[1], "\n> ", "\n"), block[2]
		cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
		cmd.Env = append(os.Environ(), actAsPgweir+"=1", "PATH="+dir+":"+os.Getenv("PATH"))
		got, err := cmd.Output()
		if err != nil || string(got) != want {
			t.Errorf("%s: %v\n%s", command, err, got)
		}
	}
}
