package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/pgweir/pgweir/stats"
	"github.com/pgweir/pgweir/stats/nplusone"
)

// aboutNPlusOne goes on the help screen of nplusone.
const aboutNPlusOne = "Prints the loops that a running pgweir has found in the traffic: N+1 and such.\n" +
	"For a test suite that runs through pgweir: -reset before it, and behind it\n" +
	"-fail-on-new -baseline FILE. docs/nplusone.md says what to do about a finding."

// findings is what /api/nplusone answers.
type findings struct {
	Findings []nplusone.Finding `json:"findings"`
}

// nplusoneFlags are the command line of nplusone.
type nplusoneFlags struct {
	baseline, write  *string
	failOnNew, reset *bool
	confidence       nplusone.Confidence
}

// runNPlusOne prints findings.
func runNPlusOne(ctx context.Context, args []string, stdout, _ io.Writer) error {
	fs := newFlags("nplusone", aboutNPlusOne)
	ask := newAsker(fs)
	f := nplusoneFlags{
		confidence: nplusone.Likely,
		baseline:   fs.String("baseline", "", "`file` with the findings that are known"),
		write:      fs.String("write-baseline", "", "write what is found to a `file`, as a baseline"),
		failOnNew:  fs.Bool("fail-on-new", false, "exit with 1 if there is one that is not in the baseline"),
		reset:      fs.Bool("reset", false, "forget all figures and findings, and do nothing else"),
	}
	fs.TextVar(&f.confidence, "confidence", f.confidence, "fail for what is at `least` suspected, likely or proven")
	asJSON := fs.Bool("json", false, "print JSON")
	if err := fs.parse(args, stdout); err != nil {
		return err
	}
	if *f.write != "" && *f.failOnNew {
		return usageError(fs, "-write-baseline takes all that is found: -fail-on-new does not go with it")
	}
	if *f.reset {
		return ask.do(ctx, http.MethodPost, "/api/reset", nil)
	}
	var found findings
	path := "/api/nplusone"
	if *f.failOnNew || *f.write != "" {
		path += "?settle=true" // the run is over; else it would cut requests in two
	}
	if err := ask.do(ctx, http.MethodGet, path, &found); err != nil {
		return err
	}
	fresh, err := f.fresh(found.Findings)
	if err != nil {
		return err
	}
	if *asJSON {
		text, err := nplusone.MarshalList(found.Findings)
		if err != nil {
			return err
		}
		_, _ = stdout.Write(text)
	} else {
		printFindings(stdout, found.Findings, fresh)
	}

	return f.end(found.Findings, fresh)
}

// fresh returns those that are not in the baseline.
func (f *nplusoneFlags) fresh(found []nplusone.Finding) (map[int]bool, error) {
	fresh := make(map[int]bool)
	known := new(nplusone.Baseline)
	if *f.baseline != "" {
		file, err := os.Open(*f.baseline)
		if err != nil {
			return nil, fmt.Errorf("open the baseline: %w", err)
		}
		defer file.Close()
		if known, err = nplusone.ReadBaseline(file); err != nil {
			return nil, fmt.Errorf("%s: %w", *f.baseline, err)
		}
	}
	for i := range found {
		fresh[i] = len(known.New(found[i:i+1])) > 0
	}

	return fresh, nil
}

// end writes the baseline if that is asked for, and fails if there is something new that
// is worth it.
func (f *nplusoneFlags) end(found []nplusone.Finding, fresh map[int]bool) error {
	if *f.write != "" {
		var b strings.Builder
		if err := nplusone.WriteBaseline(&b, found); err != nil {
			return err
		}

		return os.WriteFile(*f.write, []byte(b.String()), 0o644)
	}
	var failing []string // their numbers, as they are printed
	for i := range found {
		if *f.failOnNew && fresh[i] && isFault(&found[i]) && found[i].Confidence >= f.confidence {
			failing = append(failing, strconv.Itoa(i+1))
		}
	}
	if failing == nil {
		return nil
	}

	return fmt.Errorf("there are new findings (%s): mend them, or take them into the baseline with -write-baseline",
		strings.Join(failing, ", "))
}

// isFault reports whether a finding is one that a program is better without: that
// statements are many, or follow from each other, may be what it needs.
func isFault(f *nplusone.Finding) bool {
	return f.Kind != nplusone.KindChatty && f.Kind != nplusone.KindRecursive
}

// printFindings prints findings for a person. Those that are fresh are marked if not all
// are.
func printFindings(w io.Writer, found []nplusone.Finding, fresh map[int]bool) {
	if len(found) == 0 {
		fmt.Fprintln(w, "No loops were found in the traffic.")

		return
	}
	for i := range found {
		f := &found[i]
		mark := ""
		if !fresh[i] {
			mark = " (known)"
		}
		fmt.Fprintf(w, "%d. %s, %s%s: %d executions in a request, seen %s\n", i+1, f.Kind, f.Confidence, mark, f.Count, times(f.Occurrences))
		fmt.Fprintf(w, "   cost       %s in PostgreSQL, %s between, %d round trips\n", took(f.ExecMS), took(f.GapMS), f.RoundTrips)
		printField(w, "statement", f.Child.Text)
		if f.Parent != nil {
			printField(w, "after", f.Parent.Text)
		}
		printField(w, "proof", f.Provenance)
		printField(w, "route", f.Route)
		printField(w, "from", origin(f.Origin))
		printField(w, "do", f.Suggestion)
		printField(w, "id", stats.Fingerprint(f.Child.Fingerprint).String())
		fmt.Fprintln(w)
	}
}

// times is how often something was.
func times(n uint64) string {
	if n == 1 {
		return "once"
	}

	return strconv.FormatUint(n, 10) + " times"
}

// origin names whose statements they are.
func origin(o nplusone.Origin) string {
	text := o.User + " in " + o.Database
	if o.Application != "" {
		text = o.Application + ", " + text
	}

	return text
}

// The room for a text behind its name, and how many lines it may have.
const (
	fieldName  = 10
	fieldRoom  = columns - 3 - fieldName - 1
	fieldLines = 8
)

// printField prints what there is under a name, in lines.
func printField(w io.Writer, name, text string) {
	if text == "" {
		return
	}
	for _, line := range wrap(text, fieldRoom, fieldLines) {
		fmt.Fprintf(w, "   %-*s %s\n", fieldName, name, line)
		name = ""
	}
}
