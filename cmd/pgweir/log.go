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

// newLogger returns the logger of the process: lines for people on a terminal, JSON
// elsewhere. Repeated lines are thinned out, so that an outage does not become a
// second one.
func newLogger(format config.LogFormat, level string, w io.Writer) *zap.Logger {
	encoder := zap.NewProductionEncoderConfig()
	encoder.TimeKey = "time"
	encoder.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	enc := zapcore.NewJSONEncoder(encoder)
	if format == config.LogConsole || format == config.LogAuto && isTerminal(w) {
		encoder.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
		encoder.EncodeLevel = zapcore.CapitalLevelEncoder
		encoder.CallerKey = zapcore.OmitKey
		enc = zapcore.NewConsoleEncoder(encoder)
	}
	lvl, err := zapcore.ParseLevel(level)
	if err != nil { // config has checked it
		lvl = zapcore.InfoLevel
	}
	core := zapcore.NewCore(enc, zapcore.Lock(zapcore.AddSync(w)), lvl)

	return zap.New(zapcore.NewSamplerWithOptions(core, time.Second, logBurst, logEvery))
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
