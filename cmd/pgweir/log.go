package main

import (
	"io"
	"os"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/pgweir/pgweir/config"
)

// Of the lines with the same message in a second, as in an outage, the first
// logBurst are written and then one in logEvery.
const (
	logBurst = 20
	logEvery = 100
)

// A logger is the log of the process. Whoever made it calls Sync at the end.
type logger struct {
	*zap.Logger
	sink *sink // what all lines go through
}

// newLogger returns a logger that writes to w, and does not wait for it. Repeated
// lines are thinned out, so that an outage does not become a second one.
func newLogger(format config.LogFormat, level string, w io.Writer) *logger {
	lvl, err := zapcore.ParseLevel(level)
	if err != nil { // config has checked it
		lvl = zapcore.InfoLevel
	}
	enc := newEncoder(format, w)
	s := newSink(w, enc)
	core := zapcore.NewCore(enc, s, lvl)

	return &logger{
		Logger: zap.New(zapcore.NewSamplerWithOptions(core, time.Second, logBurst, logEvery)),
		sink:   s,
	}
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
