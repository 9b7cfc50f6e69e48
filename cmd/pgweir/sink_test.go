package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgweir/pgweir/config"
)

// A logReader is what reads the log: it may be slow, stop, or be gone.
type logReader struct {
	delay time.Duration // of each line
	open  chan struct{} // takes nothing until it is closed; nil: takes all

	mu    sync.Mutex // guards the following
	err   error      // instead of taking anything
	lines []string   // one a write
}

// Write implements [io.Writer].
func (r *logReader) Write(p []byte) (int, error) {
	if r.open != nil {
		<-r.open
	}
	if r.delay > 0 {
		<-time.After(r.delay)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return 0, r.err
	}
	r.lines = append(r.lines, string(p))

	return len(p), nil
}

// fail makes the reader fail from now on, or work again.
func (r *logReader) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

// got returns what was read: the first field of a line, or how many lines it says are
// missing.
func (r *logReader) got(t *testing.T) []string {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var got []string
	for _, line := range r.lines {
		if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
			t.Errorf("not one line: %q", line)
		}
		var entry struct {
			Level, Msg string
			Lines      int
		}
		if json.Unmarshal([]byte(line), &entry) == nil {
			got = append(got, fmt.Sprintf("%s: %d %s", entry.Level, entry.Lines, entry.Msg))
		} else {
			got = append(got, strings.Fields(line)[0])
		}
	}

	return got
}

// levels returns how many lines of each level were read.
func (r *logReader) levels(t *testing.T) map[string]int {
	t.Helper()
	levels := make(map[string]int)
	for _, line := range r.got(t) {
		level, _, _ := strings.Cut(line, ":")
		levels[level]++
	}

	return levels
}

// newTestSink returns a sink as a service has it.
func newTestSink(r io.Writer) *sink {
	return newSink(r, newEncoder(config.LogJSON, r))
}

// mustWrite writes lines, in any of which the sink may neither wait nor fail.
func mustWrite(t *testing.T, s *sink, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if n, err := io.WriteString(s, line); n != len(line) || err != nil {
			t.Fatalf("Write of %d bytes returned %d, %v", len(line), n, err)
		}
	}
}

// lineOf returns a line of so many bytes that begins with its number.
func lineOf(number, size int) string {
	line := fmt.Sprint(number)

	return line + strings.Repeat(" ", size-1-len(line)) + "\n"
}

func TestSinkDropsWhenTheReaderStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size, dropped = 1 << 10, 10
		r := &logReader{open: make(chan struct{})}
		s := newTestSink(r)
		mustWrite(t, s, lineOf(0, size))
		synctest.Wait() // the reader is at the first line
		want := []string{"0"}
		for i := 1; i <= sinkQueue/size; i++ {
			mustWrite(t, s, lineOf(i, size))
			want = append(want, fmt.Sprint(i))
		}
		if n := s.dropped.Load(); n != 0 {
			t.Errorf("%d lines are dropped before the queue is full", n)
		}
		for i := range dropped {
			mustWrite(t, s, lineOf(i, size))
		}
		if n := s.dropped.Load(); n != dropped {
			t.Errorf("%d lines are counted as dropped, want %d", n, dropped)
		}

		close(r.open)
		synctest.Wait()
		mustWrite(t, s, "after it\n")
		synctest.Wait()
		want = append(want, "warn: 10 log lines dropped", "after")
		if diff := cmp.Diff(want, r.got(t)); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
	})
}

// TestSinkDropsInOrder: with the queue full, a line that is short enough for what is
// left of it is not put in front of the line that says what is missing.
func TestSinkDropsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &logReader{open: make(chan struct{})}
		s := newTestSink(r)
		mustWrite(t, s, "first\n")
		synctest.Wait()
		mustWrite(t, s, lineOf(1, sinkQueue-10), lineOf(2, 100), "3\n")
		close(r.open)
		synctest.Wait()
		want := []string{"first", "1", "warn: 2 log lines dropped"}
		if diff := cmp.Diff(want, r.got(t)); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
	})
}

func TestSinkKeepsTheOrder(t *testing.T) {
	const writers, each = 8, 1000
	r := new(logReader)
	s := newTestSink(r)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				fmt.Fprintf(s, "%d/%d of a writer\n", w, i)
			}
		})
	}
	all.Wait()
	if err := s.Sync(); err != nil {
		t.Fatal(err)
	}
	var next [writers]int
	for _, line := range r.got(t) {
		var w, i int
		if _, err := fmt.Sscanf(line, "%d/%d", &w, &i); err != nil || i != next[w] {
			t.Fatalf("line %q where %d of writer %d is due", line, next[w], w)
		}
		next[w]++
	}
	for w, n := range next {
		if n != each {
			t.Errorf("%d lines of writer %d, want %d", n, w, each)
		}
	}
}

// TestSinkOwnsItsLines: a line is the caller's again as soon as Write has returned.
func TestSinkOwnsItsLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &logReader{open: make(chan struct{})}
		s := newTestSink(r)
		line := []byte("mine\n")
		_, _ = s.Write(line)
		copy(line, "yours")
		close(r.open)
		synctest.Wait()
		if diff := cmp.Diff([]string{"mine"}, r.got(t)); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
	})
}

func TestSinkSync(t *testing.T) {
	tests := []struct {
		name  string
		delay time.Duration // of each of 10 lines
		want  error
		takes time.Duration
	}{
		{"at once", 0, nil, 0},
		{"a slow reader", 50 * time.Millisecond, nil, 500 * time.Millisecond},
		{"a reader that is too slow", time.Second, errNotFlushed, flushTimeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &logReader{delay: tt.delay}
				s := newTestSink(r)
				if err := s.Sync(); err != nil {
					t.Errorf("of nothing: %v", err)
				}
				for i := range 10 {
					mustWrite(t, s, lineOf(i, 10))
				}
				begun := time.Now()
				if err := s.Sync(); !errors.Is(err, tt.want) {
					t.Errorf("got error %v, want %v", err, tt.want)
				}
				if took := time.Since(begun); took != tt.takes {
					t.Errorf("it took %v, want %v", took, tt.takes)
				}
				if n := len(r.got(t)); tt.want == nil && n != 10 {
					t.Errorf("%d lines are written, want 10", n)
				}
				for s.Sync() != nil { // the rest
				}
			})
		})
	}
}

// TestSinkTellsOfFailures: what could not be written counts as dropped, and is told of
// when it is possible again.
func TestSinkTellsOfFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &logReader{err: errors.New("no space left on device")}
		s := newTestSink(r)
		mustWrite(t, s, "1\n")
		synctest.Wait()
		mustWrite(t, s, "2\n")
		synctest.Wait()
		r.fail(nil)
		mustWrite(t, s, "3\n")
		synctest.Wait()
		mustWrite(t, s, "4\n")
		synctest.Wait()
		want := []string{"3", "warn: 2 log lines dropped", "4"}
		if diff := cmp.Diff(want, r.got(t)); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
		if n := s.dropped.Load(); n != 2 {
			t.Errorf("%d lines are counted as dropped, want 2", n)
		}
	})
}

// TestEndWithoutAReader: the reason of a failure is said where somebody reads it, and
// keeps nobody where nobody does.
func TestEndWithoutAReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &logReader{open: make(chan struct{})}
		begun := time.Now()
		if code := finish(errors.New("it went wrong"), r); code != exitFailure {
			t.Errorf("exit code %d, want %d", code, exitFailure)
		}
		if took := time.Since(begun); took != flushTimeout {
			t.Errorf("it took %v, want %v", took, flushTimeout)
		}
		close(r.open)
	})
}
