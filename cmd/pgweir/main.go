// Command pgweir is a connection pooler for PostgreSQL.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/pgweir/pgweir/config"
)

// The exit codes; 2 and 78 as is usual for usage and configuration (EX_CONFIG of
// sysexits.h).
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
	exitConfig  = 78
)

// version is the release; the build sets it.
var version = "devel"

// main runs the command line.
func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// A command is one subcommand.
type command struct {
	name, summary string
	run           func(ctx context.Context, args []string, stdout, stderr io.Writer) error
}

// commands are the subcommands, in the order of the help text.
func commands() []command {
	return []command{
		{"serve", "run the pooler", runServe},
		{"check", "check a configuration file and say what is wrong with it", runCheck},
		{"dev", "try the pooler on a throwaway PostgreSQL or DATABASE_URL", runDev},
		{"report", "print what a running pgweir has measured", runReport},
		{"nplusone", "print the N+1 queries that it has found", runNPlusOne},
		{"fingerprint", "print the fingerprints of SQL statements", runFingerprint},
		{"version", "print the version", runVersion},
	}
}

// run runs the command line and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		usage(stderr)

		return exitUsage
	}
	switch args[0] {
	case "help", "--help", "-h":
		usage(stdout)

		return exitOK
	case "--version", "-V":
		args[0] = "version"
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return finish(c.run(ctx, args[1:], stdout, stderr), stderr)
		}
	}
	fmt.Fprintf(stderr, "pgweir: unknown command %q; see pgweir --help\n", args[0])

	return exitUsage
}

// usage prints the one screen of help.
func usage(w io.Writer) {
	var b strings.Builder
	b.WriteString("pgweir pools connections to PostgreSQL and measures what passes.\n\nUsage:\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  pgweir %-11s %s\n", c.name, c.summary)
	}
	b.WriteString("\nEach command has its own --help.\n" +
		"Exit codes: 0 ok, 1 failure, 2 usage, 78 configuration.\n")
	_, _ = io.WriteString(w, b.String())
}

// An exitError is an error with an exit code of its own.
type exitError struct {
	code int
	err  error // nil: everything has been said already
}

// Error implements error.
func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}

	return e.err.Error()
}

// finish prints an error and returns the exit code for it. Like the log, it does not
// wait for long for a reader of stderr that has stopped.
func finish(err error, stderr io.Writer) int {
	if err == nil {
		return exitOK
	}
	if text := err.Error(); text != "" {
		s := newSink(stderr, newEncoder(config.LogAuto, stderr))
		fmt.Fprintf(s, "pgweir: %s\n", text)
		_ = s.Sync()
	}
	var exit *exitError
	if errors.As(err, &exit) {
		return exit.code
	}

	return exitFailure
}

// runVersion prints the version.
func runVersion(_ context.Context, args []string, stdout, _ io.Writer) error {
	fs := newFlags("version", "Prints the version, the commit if it is known, and the version of Go.")
	if err := fs.parse(args, stdout); err != nil {
		return err
	}
	_, err := fmt.Fprintln(stdout, versionLine())

	return err
}
