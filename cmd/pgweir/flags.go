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
	about    string // on the help screen
	operands string // what may come behind the flags, as on the help screen; "": nothing
	set      settingsFlag
}

// newFlags returns the flags of a subcommand. about goes on its help screen, which has
// 80 columns.
func newFlags(name, about string) *flags {
	fs := &flags{FlagSet: flag.NewFlagSet(name, flag.ContinueOnError), about: about}
	fs.SetOutput(io.Discard) // what is wrong is in the error, and help is for who asks
	fs.Usage = func() {}

	return fs
}

// help prints the help screen.
func (fs *flags) help(w io.Writer) {
	some := false
	fs.VisitAll(func(*flag.Flag) { some = true })
	if !some {
		fmt.Fprintf(w, "Usage: pgweir %s\n\n%s\n", fs.Name(), fs.about)

		return
	}
	fmt.Fprintf(w, "Usage: pgweir %s\n\n%s\n\n", strings.TrimSpace(fs.Name()+" [flags] "+fs.operands), fs.about)
	fs.SetOutput(w)
	fs.PrintDefaults()
}

// settings adds the flag that overrides settings.
func (fs *flags) settings() {
	fs.set = make(settingsFlag)
	fs.Var(fs.set, "set", "override a setting, as `key=value`; may be repeated")
}

// parse reads the arguments. A request for help is answered on stdout and ends the
// command well.
func (fs *flags) parse(args []string, stdout io.Writer) error {
	err := fs.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fs.help(stdout)

		return &exitError{code: exitOK}
	}
	if err == nil && fs.NArg() > 0 && fs.operands == "" {
		err = fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if err != nil {
		return &exitError{code: exitUsage, err: fmt.Errorf("%w; see pgweir %s --help", err, fs.Name())}
	}

	return nil
}

// usageError is an error in the command line that parse does not see.
func usageError(fs *flags, format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format+"; see pgweir %s --help", append(args, fs.Name())...)}
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
