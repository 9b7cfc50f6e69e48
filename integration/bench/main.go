package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// options is the command line.
type options struct {
	duration time.Duration
	rounds   int
	run      *regexp.Regexp
	poolers  string
	prepared bool
	list     bool
	out      string
	pgweir   string
	partial  bool // the run is not of everything, and nobody said where to write it
}

// main parses the flags and runs until done or interrupted. Exit code 1 is an error, 2 a wrong flag.
func main() {
	o, err := parseOptions(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	// The first signal ends the run in order; a second one has the default effect. SIGPIPE is there because a reader of
	// our output that goes away would otherwise end us on the spot.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGPIPE)
	context.AfterFunc(ctx, stop)
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// parseOptions parses the command line.
func parseOptions(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.DurationVar(&o.duration, "duration", 5*time.Second, "`length` of one measurement, in whole seconds")
	flags.IntVar(&o.rounds, "rounds", 5, "`number` of rounds")
	pattern := flags.String("run", "", "run only the scenarios whose name matches this `regexp`")
	flags.StringVar(&o.poolers, "poolers", "pgweir,pgbouncer", "`names` of those that take part")
	flags.BoolVar(&o.prepared, "prepared", false, "add the scenarios with prepared statements")
	flags.BoolVar(&o.list, "list", false, "list the scenarios and exit")
	flags.StringVar(&o.out, "out", filepath.Join("docs", "benchmarks.md"),
		"Markdown `file` to write the report into;\na run of only some scenarios writes it only if this is given")
	flags.StringVar(&o.pgweir, "pgweir", "", "use this pgweir `binary` rather than build one")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}

	var err error
	if o.run, err = regexp.Compile(*pattern); err != nil {
		return options{}, fmt.Errorf("-run: %w", err)
	}
	if o.duration < time.Second || o.rounds < 1 || flags.NArg() > 0 {
		return options{}, errors.New("-duration is at least 1s, -rounds at least 1, and there are no arguments")
	}
	o.duration = o.duration.Round(time.Second) // pgbench counts whole ones.
	given := make(map[string]bool)
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	o.partial = (given["run"] || given["poolers"]) && !given["out"]
	return o, nil
}

// selected returns the scenarios that the command line asks for.
func (o options) selected() []scenario {
	var some []scenario
	for _, s := range scenarios(o.duration, o.prepared) {
		if o.run.MatchString(s.name) {
			some = append(some, s)
		}
	}
	return some
}

// run does what the command line asks for.
func run(ctx context.Context, o options, out io.Writer) (err error) {
	chosen := o.selected()
	if len(chosen) == 0 {
		return fmt.Errorf("no scenario matches %q", o.run)
	}
	if o.list {
		for _, s := range chosen {
			fmt.Fprintf(out, "%-14s %-45s %s\n", s.name, s.unit, s.goal)
		}
		return nil
	}

	here := thisMachine()
	b, err := openLab(ctx, o.duration, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	ps, err := o.programs(ctx, b.dir)
	if err != nil {
		return err
	}
	r := report{
		machine: here, server: b.serverVersion, programs: ps,
		when: time.Now(), duration: o.duration, rounds: o.rounds,
	}
	runErr := r.runAll(ctx, b, chosen, out)
	return errors.Join(runErr, o.publish(ctx, r, out))
}

// programs finds or builds those who take part.
func (o options) programs(ctx context.Context, dir string) (programs, error) {
	var ps programs
	for name := range strings.SplitSeq(o.poolers, ",") {
		switch name {
		case "pgbouncer":
			ps.pgbouncer = findPgBouncer(ctx)
		case "pgweir":
			path, err := o.pgweir, error(nil)
			if path == "" {
				path, err = buildPgWeir(ctx, dir)
			}
			if err != nil {
				return programs{}, err
			}
			ps.pgweir = pgweirProgram(ctx, path)
		default:
			return programs{}, fmt.Errorf("-poolers: %q is neither pgweir nor pgbouncer", name)
		}
	}
	if ps == (programs{}) {
		return programs{}, errors.New("there is no pooler to measure: pgbouncer is not on PATH")
	}
	return ps, nil
}

// runAll measures the scenarios one after another, printing each row as soon as it is known. A scenario that fails
// does not keep the others from running; an interruption does.
func (r *report) runAll(ctx context.Context, b *lab, chosen []scenario, out io.Writer) error {
	var failures []error
	judge := referee{programs: r.programs, rounds: r.rounds, out: out, measure: b.measure}
	for _, s := range chosen {
		fmt.Fprintln(out, s.name)
		if subject, baseline := r.programs.contestants(s); subject == nil && baseline == nil {
			fmt.Fprintln(out, "  left out: none of the poolers here can take part")
			continue
		}
		one := judge.run(ctx, s)
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted: %w", one.err)
		}
		r.results = append(r.results, one)
		failures = append(failures, one.err)
		fmt.Fprintln(out, one.row())
	}
	return errors.Join(failures...)
}

// publish prints the report and writes it into the page, unless the run was interrupted.
func (o options) publish(ctx context.Context, r report, out io.Writer) error {
	if ctx.Err() != nil {
		return nil
	}
	text := new(strings.Builder)
	if err := r.write(text); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s\n", text)
	if o.partial {
		fmt.Fprintf(out, "Only a part was run: %s is left as it is (-out writes it).\n", o.out)
		return nil
	}
	return updatePage(o.out, text.String())
}
