package clienttest

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
)

// A Log collects what pgweir writes, JSON lines but for the race detector and a crash.
// The zero value is empty. Its methods may be called from any goroutine.
type Log struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.text.Write(p)
}

// String returns all that was written.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.text.String()
}

// Tail returns the end of it, for the report of a failed test.
func (l *Log) Tail() string {
	const limit = 4 << 10
	s := l.String()

	return s[max(0, len(s)-limit):]
}

// Find returns the first line with a message.
func (l *Log) Find(message string) (map[string]any, bool) {
	for line := range strings.Lines(l.String()) {
		var fields map[string]any
		if json.Unmarshal([]byte(line), &fields) == nil && fields["msg"] == message {
			return fields, true
		}
	}

	return nil, false
}

// Alarming returns the lines that no test should cause.
func (l *Log) Alarming() []string {
	var lines []string
	for line := range strings.Lines(l.String()) {
		if strings.Contains(line, "DATA RACE") || strings.Contains(line, "panic") ||
			strings.Contains(line, `"level":"error"`) {
			lines = append(lines, line)
		}
	}

	return lines
}
