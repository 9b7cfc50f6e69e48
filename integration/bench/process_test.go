package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestProcessStop(t *testing.T) {
	p, err := startProcess("/bin/sleep", []string{"60"}, nil, filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // The second time there is nothing left to stop.
		if err := p.stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	}
	select {
	case <-p.exited:
	default:
		t.Error("stop has returned and the process is not reaped")
	}
}

func TestProcessEndsByItself(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	p, err := startProcess("/bin/sh", []string{"-c", "echo bad setting >&2; exit 3"}, nil, log)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.exited:
	case <-time.After(10 * time.Second):
		t.Fatal("the end of the process was not noticed")
	}
	if p.err == nil || !strings.Contains(p.err.Error(), "3") {
		t.Errorf("it ended with %v, want exit status 3", p.err)
	}
	if got, want := p.logTail(), "bad setting\n"; got != want {
		t.Errorf("log %q, want %q", got, want)
	}
	if err := p.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}
