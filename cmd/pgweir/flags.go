package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
)

// flags is the command line of one subcommand.
type flags struct {
	*flag.FlagSet
	set settingsFlag
}

// newFlags returns the flags of a subcommand. about goes on its help screen.
func newFlags(name, about string, stderr io.Writer) *flags {
	fs := &flags{FlagSet: flag.NewFlagSet("pgweir "+name, flag.ContinueOnError)}
	fs.SetOutput(stderr)
	fs.Usage = func() {
		fmt.Fprintf(stderr, "Usage: pgweir %s [flags]\n", name)
		if about != "" {
			fmt.Fprintf(stderr, "\n%s\n", about)
		}
		fmt.Fprintln(stderr)
		fs.PrintDefaults()
	}

	return fs
}

// settings adds the flag that overrides settings.
func (fs *flags) settings() {
	fs.set = make(settingsFlag)
	fs.Var(fs.set, "set", "override a setting, as `key=value`; may be repeated")
}

// parse reads the arguments. A request for help ends the command well.
func (fs *flags) parse(args []string) error {
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return &exitError{code: exitOK}
	case err != nil:
		return &exitError{code: exitUsage} // the flag package has said it
	case fs.NArg() > 0:
		return &exitError{code: exitUsage, err: fmt.Errorf("unexpected argument %q", fs.Arg(0))}
	}

	return nil
}

// settingsFlag collects key=value flags.
type settingsFlag map[string]string

// String implements [flag.Value].
func (s settingsFlag) String() string {
	return ""
}

// Set implements [flag.Value].
func (s settingsFlag) Set(arg string) error {
	key, value, ok := strings.Cut(arg, "=")
	if !ok {
		return errors.New("want key=value")
	}
	s[key] = value

	return nil
}

// versionLine is what pgweir version prints: release, commit if known, Go.
func versionLine() string {
	line := "pgweir " + version
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				line += " (" + s.Value[:min(12, len(s.Value))] + ")"
			}
		}
	}

	return fmt.Sprintf("%s %s %s/%s", line, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
