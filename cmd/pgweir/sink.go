package main

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

const (
	// sinkQueue is how many bytes of lines may wait for a goroutine that is writing, and
	// as many may be on their way with it. It is some 20 000 lines about clients: what
	// is logged while they all come back, and the reader of the log is slow.
	sinkQueue = 4 << 20

	// flushTimeout is how long the end of the process waits for the reader of the log.
	flushTimeout = time.Second
)

// errNotFlushed is returned by Sync when the lines could not be written in time.
var errNotFlushed = errors.New("log: the last lines could not be written")

// A sink writes log lines for those who must not wait: event loops log, and a reader
// of standard error that stops would otherwise stop them, with all their clients. The
// lines queue for a goroutine that writes one after another and ends when there are
// none. When the queue is full lines are dropped, and counted; one that says how many
// is written where they are missing, as soon as that is possible.
//
// It is a [zapcore.WriteSyncer]; its methods may be called from any goroutine.
type sink struct {
	w       io.Writer       // called by one goroutine at a time
	encoder zapcore.Encoder // of the line about dropped ones
	dropped atomic.Uint64   // lines, ever
	untold  uint64          // of those the ones that no line tells of; drain's

	mu    sync.Mutex    // guards the following; held for a few instructions
	lines [][]byte      // the queue
	size  int           // of them, in bytes
	lost  uint64        // lines dropped since it was full
	idle  chan struct{} // closed when all is written; nil: all is
}

// newSink returns a sink that writes to w.
func newSink(w io.Writer, encoder zapcore.Encoder) *sink {
	return &sink{w: w, encoder: encoder}
}

// Write implements [zapcore.WriteSyncer]. p is one line, and the caller's again when
// it returns. It never waits for the writer and never fails.
func (s *sink) Write(p []byte) (int, error) {
	line := bytes.Clone(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost > 0 || s.size+len(line) > sinkQueue { // once lost, a shorter one that fits would be out of order
		s.lost++
		s.dropped.Add(1)
	} else {
		s.lines = append(s.lines, line)
		s.size += len(line)
	}
	if s.idle == nil {
		s.idle = make(chan struct{})
		go s.drain(s.idle)
	}

	return len(p), nil
}

// drain writes until there is nothing left, and then closes idle.
func (s *sink) drain(idle chan struct{}) {
	defer close(idle)
	for {
		lines, lost := s.take()
		if len(lines) == 0 && lost == 0 {
			return
		}
		for _, line := range lines {
			s.writeOne(line)
		}
		s.untold += lost
		s.tell()
	}
}

// take empties the queue, and returns what was in it and how many lines are missing
// after that. If there is nothing the caller's part is over: the next line has a
// goroutine of its own.
func (s *sink) take() (lines [][]byte, lost uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines, lost = s.lines, s.lost
	s.lines, s.size, s.lost = nil, 0, 0
	if len(lines) == 0 && lost == 0 {
		s.idle = nil
	}

	return lines, lost
}

// writeOne writes a line. It is dropped where there is no reader, or no space on a
// disk.
func (s *sink) writeOne(line []byte) {
	if _, err := s.w.Write(line); err != nil {
		s.dropped.Add(1)
		s.untold++
	}
}

// tell writes how many lines are missing, if any are. If it cannot it is tried again
// after the next line.
func (s *sink) tell() {
	if s.untold == 0 {
		return
	}
	entry := zapcore.Entry{Level: zapcore.WarnLevel, Time: time.Now(), Message: "log lines dropped"}
	line, err := s.encoder.EncodeEntry(entry, []zapcore.Field{zap.Uint64("lines", s.untold)})
	if err != nil {
		return
	}
	defer line.Free()
	if _, err := s.w.Write(line.Bytes()); err == nil {
		s.untold = 0
	}
}

// Sync implements [zapcore.WriteSyncer]. It waits until all is written, but no longer
// than flushTimeout: what then is left is lost if the process ends.
func (s *sink) Sync() error {
	s.mu.Lock()
	idle := s.idle
	s.mu.Unlock()
	if idle == nil {
		return nil
	}
	select {
	case <-idle:
		return nil
	case <-time.After(flushTimeout):
		return errNotFlushed
	}
}
