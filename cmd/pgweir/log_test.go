package main

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap/zapcore"

	"github.com/pgweir/pgweir/config"
)

// TestLogThinsOutFloods logs the same at each level, 1020 times in a second and once in
// the next one.
func TestLogThinsOutFloods(t *testing.T) {
	const lines = logBurst + 10*logEvery
	tests := []struct {
		level string
		want  map[string]int // lines by level, of those in the first second
	}{
		{"debug", map[string]int{"debug": lines, "info": lines, "warn": logBurst + 10, "error": logBurst + 10}},
		{"info", map[string]int{"info": lines, "warn": logBurst + 10, "error": logBurst + 10}},
		{"warn", map[string]int{"warn": logBurst + 10, "error": logBurst + 10}},
		{"error", map[string]int{"error": logBurst + 10}},
	}
	for _, tt := range tests {
		t.Run(tt.level, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := new(logReader)
				log := newLogger(config.LogJSON, tt.level, r)
				for level := zapcore.DebugLevel; level <= zapcore.ErrorLevel; level++ {
					for range lines {
						log.Log(level, "the same")
					}
				}
				synctest.Wait()
				got := r.levels(t)
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("lines by level (-want +got):\n%s", diff)
				}

				<-time.After(time.Second)
				log.Error("the same")
				synctest.Wait()
				if n := r.levels(t)["error"]; n != got["error"]+1 {
					t.Errorf("%d errors with the one of the next second, %d without", n, got["error"])
				}
			})
		})
	}
}

// TestLogIsFlushedOnce: the end of the process waits for a reader that has stopped, but
// not once for each kind of lines.
func TestLogIsFlushedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &logReader{open: make(chan struct{})}
		log := newLogger(config.LogJSON, "info", r)
		log.Info("shutting down")
		begun := time.Now()
		if err := log.Sync(); err == nil {
			t.Error("all is written, it says")
		}
		if took := time.Since(begun); took != flushTimeout {
			t.Errorf("it took %v, want %v", took, flushTimeout)
		}
		close(r.open)
	})
}
