package main

import (
	"io"
	"os"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/pgweir/pgweir/config"
)

// Of the warnings and errors with the same message in a second, as in an outage, the
// first logBurst are written and then one in logEvery.
const (
	logBurst = 20
	logEvery = 100
)

// A logger is the log of the process. Whoever made it calls Sync at the end.
type logger struct {
	*zap.Logger
	sink *sink // what all lines go through
}

// Sync waits for a while until all is written. (zap's own would ask each of its cores,
// and so wait twice.)
func (l *logger) Sync() error {
	return l.sink.Sync()
}

// newLogger returns a logger that writes to w, and does not wait for it. Repeated
// warnings and errors are thinned out, so that an outage does not become a second
// one. What is below is about clients, asked for in the settings: all of it is written.
func newLogger(format config.LogFormat, level string, w io.Writer) *logger {
	lvl, err := zapcore.ParseLevel(level)
	if err != nil { // config has checked it
		lvl = zapcore.InfoLevel
	}
	enc := newEncoder(format, w)
	s := newSink(w, enc)
	all := zapcore.NewCore(enc, s, zap.LevelEnablerFunc(func(of zapcore.Level) bool {
		return of >= lvl && of < zapcore.WarnLevel
	}))
	thinned := zapcore.NewSamplerWithOptions(
		zapcore.NewCore(enc, s, max(lvl, zapcore.WarnLevel)), time.Second, logBurst, logEvery,
	)

	return &logger{Logger: zap.New(zapcore.NewTee(all, thinned)), sink: s}
}

// newEncoder returns what makes the lines: for people on a terminal, JSON elsewhere.
func newEncoder(format config.LogFormat, w io.Writer) zapcore.Encoder {
	encoder := zap.NewProductionEncoderConfig()
	encoder.TimeKey = "time"
	encoder.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	if format == config.LogConsole || format == config.LogAuto && isTerminal(w) {
		encoder.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
		encoder.EncodeLevel = zapcore.CapitalLevelEncoder
		encoder.CallerKey = zapcore.OmitKey

		return zapcore.NewConsoleEncoder(encoder)
	}

	return zapcore.NewJSONEncoder(encoder)
}

// isTerminal reports whether a person is likely to read w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()

	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
