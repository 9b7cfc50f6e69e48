package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/internal/postgres"
)

// databaseURLVariable names the environment variable with the database to front.
const databaseURLVariable = "DATABASE_URL"

// clusterStopTimeout is how long the throwaway PostgreSQL may take to shut down
// before it is forced to.
const clusterStopTimeout = 20 * time.Second

// aboutDev goes on the help screen of dev.
const aboutDev = "Runs the pooler to try it out: in front of the database that the environment\n" +
	"variable DATABASE_URL names, or, if that is not set, of a throwaway PostgreSQL\n" +
	"with a sample database. Where PostgreSQL is not installed it installs Debian's\n" +
	"package if it may. Ctrl-C stops and removes everything that was started."

// runDev runs the pooler for a developer, until it is told to stop.
func runDev(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := newFlags("dev", aboutDev)
	install := fs.Bool("install-postgres", false, "only install PostgreSQL where there is none, and exit")
	fs.settings()
	if err := fs.parse(args, stdout); err != nil {
		return err
	}
	// From here on to the end a signal must not end the process by itself: there
	// may be something to remove. While the pooler runs it handles SIGTERM and SIGINT
	// too, and the end of ctx, which the closed terminal's SIGHUP brings about.
	ctx, stopHangup := signal.NotifyContext(ctx, syscall.SIGHUP)
	defer stopHangup()
	starting, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if *install {
		_, err := postgres.Ensure(starting, stderr)

		return err
	}
	d := &dev{flags: fs.set, stdout: stdout, stderr: stderr}
	if url := os.Getenv(databaseURLVariable); url != "" {
		return d.front(ctx, starting, url)
	}

	return d.frontThrowaway(ctx, starting)
}

// dev is one run of the subcommand.
type dev struct {
	flags          settingsFlag
	stdout, stderr io.Writer
	throwaway      bool // PostgreSQL is ours and ends with us
}

// frontThrowaway runs the pooler in front of a PostgreSQL that it starts before and
// removes afterwards.
func (d *dev) frontThrowaway(ctx, starting context.Context) (err error) {
	cluster, err := d.startCluster(starting)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stopCluster(ctx, cluster)) }()
	if err := cluster.LoadSample(starting); err != nil {
		return fmt.Errorf("load the sample database: %w", err)
	}
	d.throwaway = true

	return d.front(ctx, starting,
		cluster.UserURL(postgres.SampleUser, postgres.SamplePassword, postgres.SampleDatabase))
}

// startCluster starts PostgreSQL, after installing it if necessary. The terminal's
// Ctrl-C does not reach it, so that the pooler can end before it does.
func (d *dev) startCluster(ctx context.Context) (*postgres.Cluster, error) {
	binaries, err := postgres.Ensure(ctx, d.stdout)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(d.stdout, "Starting a throwaway PostgreSQL (%s).\n", binaries.Dir)

	return postgres.Start(ctx, postgres.Options{Binaries: binaries})
}

// stopCluster stops PostgreSQL and removes its directory, whether or not ctx has
// ended.
func (d *dev) stopCluster(ctx context.Context, c *postgres.Cluster) error {
	fmt.Fprintln(d.stdout, "Stopping PostgreSQL and removing its data.")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), clusterStopTimeout)
	defer cancel()

	return c.Stop(ctx)
}

// front runs the pooler in front of the database that a URL names, unless starting
// has ended, until a signal comes or ctx ends.
func (d *dev) front(ctx, starting context.Context, databaseURL string) error {
	cfg, err := config.Load(config.Source{DatabaseURL: databaseURL, Env: os.Environ(), Flags: d.flags})
	if err != nil {
		return &exitError{code: exitConfig, err: fmt.Errorf("configuration:\n%w", err)}
	}
	log := d.newLogger(cfg)
	defer func() { _ = log.Sync() }()

	app, err := newApp(cfg, log)
	if err != nil {
		return adviseAddress(err, cfg)
	}
	if starting.Err() != nil {
		return errors.Join(errors.New("told to stop while starting"), app.close(starting))
	}
	if err := d.greet(app); err != nil {
		return errors.Join(err, app.close(ctx))
	}

	return app.runUntilSignal(ctx)
}

// newLogger returns the logger: lines for people unless another format is set, as a
// person is watching.
func (d *dev) newLogger(cfg *config.Config) *logger {
	format := cfg.Pgweir.LogFormat
	if format == config.LogAuto {
		format = config.LogConsole
	}

	return newLogger(format, cfg.Pgweir.LogLevel, d.stderr)
}

// adviseAddress adds to the error of a taken address how to choose another.
func adviseAddress(err error, cfg *config.Config) error {
	var op *net.OpError
	if !errors.Is(err, syscall.EADDRINUSE) || !errors.As(err, &op) {
		return err
	}
	port := cfg.Pgweir.ListenPort
	if addr, ok := op.Addr.(*net.TCPAddr); ok && addr.Port == port {
		return fmt.Errorf("%w; choose another port with --set listen_port=%d", err, port+1)
	}

	return fmt.Errorf("%w; choose another with --set http_listen=127.0.0.1:0, or \"\" to do without", err)
}

// greet says how to use the pooler, whose addresses are bound by now.
func (d *dev) greet(a *app) error {
	url := d.clientURL(a)
	behind, goodbye := "a throwaway PostgreSQL", "Ctrl-C stops and removes everything."
	if !d.throwaway {
		behind, goodbye = "the database of "+databaseURLVariable, "Ctrl-C stops it. Passwords are as there."
	}
	metrics, report := "off (http_listen)", "off (http_listen)"
	if a.webListen != nil {
		base := "http://" + dialable(a.webListen.Addr())
		metrics, report = base+"/metrics", os.Args[0]+" report -url "+base
	}
	_, err := fmt.Fprintf(d.stdout, `
pgweir is in front of %s.

  URL      %s
  psql     psql '%s'
  metrics  %s
  report   %s

%s

`, behind, url, url, metrics, report, goodbye)

	return err
}

// dialable is [reachable] for an address that a listener is bound to.
func dialable(addr net.Addr) string {
	return reachable(addr.String())
}
