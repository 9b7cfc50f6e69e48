package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"go.uber.org/zap"

	"github.com/pgweir/pgweir/config"
)

// defaultConfig is the configuration file when the command line names none.
func defaultConfig() string {
	return cmp.Or(os.Getenv(config.EnvConfig), "pgweir.toml")
}

// loadConfig reads the configuration that the flags name.
func loadConfig(path string, fs *flags) (*config.Config, error) {
	cfg, err := config.Load(config.Source{Path: path, Env: os.Environ(), Flags: fs.set})
	if err != nil {
		return nil, &exitError{code: exitConfig, err: fmt.Errorf("configuration:\n%w", err)}
	}

	return cfg, nil
}

// runServe runs the pooler until it is told to stop.
func runServe(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := newFlags("serve", "Runs the pooler. SIGTERM drains: transactions end, clients at rest are closed.\n"+
		"SIGINT and a second signal stop at once.")
	path := fs.String("c", defaultConfig(), "configuration `file`")
	fs.settings()
	if err := fs.parse(args, stdout); err != nil {
		return err
	}
	cfg, err := loadConfig(*path, fs)
	if err != nil {
		return err
	}
	log := newLogger(cfg.Pgweir.LogFormat, cfg.Pgweir.LogLevel, stderr)
	defer func() { _ = log.Sync() }()

	app, err := newApp(cfg, log)
	if err != nil {
		return err
	}
	signal.Ignore(
		syscall.SIGHUP,  // to PgBouncer's operators it means "reload", which is still to come
		syscall.SIGPIPE, // or the end of whoever reads the log would be ours
	)

	return app.runUntilSignal(ctx)
}

// errImmediate ends the drain when the operator cannot wait.
var errImmediate = errors.New("told to stop at once")

// runUntilSignal serves until a signal comes: SIGTERM, or the end of ctx, drains
// within shutdown_timeout, SIGINT and a second signal end at once. So does SIGTERM if
// that is what shutdown_timeout = 0 asks for.
func (a *app) runUntilSignal(ctx context.Context) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	a.start()

	drain, stopDrain := context.WithCancelCause(context.Background())
	defer stopDrain(nil)
	select {
	case err := <-a.failed:
		stopDrain(err)

		return errors.Join(err, a.close(drain))
	case <-ctx.Done():
	case s := <-signals:
		a.log.Info("shutting down", zap.Stringer("signal", s))
		if s == syscall.SIGINT {
			stopDrain(errImmediate)
		}
	}
	timeout := a.config.Pgweir.ShutdownTimeout
	if timeout == 0 {
		stopDrain(errImmediate)
	}
	limited, cancel := context.WithTimeoutCause(drain, timeout, errors.New("shutdown_timeout has passed"))
	defer cancel()
	go func() { // ends with the drain
		select {
		case <-signals:
			stopDrain(errImmediate)
		case <-limited.Done():
		}
	}()
	err := a.close(limited)
	if errors.Is(err, errImmediate) {
		err = nil
	}

	return err
}

// runCheck checks a configuration.
func runCheck(_ context.Context, args []string, stdout, stderr io.Writer) error {
	fs := newFlags("check", "Checks a configuration file, and says all that is wrong with it at once.")
	path := fs.String("c", defaultConfig(), "configuration `file`")
	fs.settings()
	if err := fs.parse(args, stdout); err != nil {
		return err
	}
	cfg, err := loadConfig(*path, fs)
	if err != nil {
		return err
	}
	if _, err := loadUsers(cfg); err != nil {
		return &exitError{code: exitConfig, err: err}
	}
	for _, warning := range cfg.Warnings {
		fmt.Fprintf(stderr, "warning: %s\n", warning)
	}
	_, err = fmt.Fprintf(stdout, "%s: ok\n", *path)

	return err
}
