package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/pgweir/pgweir/config"
	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/meter"
	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/proxy"
	"github.com/pgweir/pgweir/web"
	"github.com/pgweir/pgweir/wire"
)

// An app is a pooler put together: construction goes from the bottom up, close the
// other way.
type app struct {
	config    *config.Config
	log       *logger
	loops     *reactor.Group
	pools     *pool.Pools
	meter     *meter.Meter // nil: nothing is measured
	proxy     *proxy.Proxy
	listeners []net.Listener
	web       *http.Server
	webListen net.Listener // nil: no HTTP

	serving   sync.WaitGroup
	measuring context.CancelFunc // ends the adding up of figures; nil: nobody does
	failed    chan error         // the first error of a listener
}

// newApp puts a pooler together and binds its addresses. On error nothing is left
// behind.
func newApp(cfg *config.Config, log *logger) (*app, error) {
	users, err := loadUsers(cfg)
	if err != nil {
		return nil, &exitError{code: exitConfig, err: err}
	}
	for _, warning := range cfg.Warnings {
		log.Warn(warning)
	}
	a := &app{config: cfg, log: log, failed: make(chan error, 1)}
	if err := a.build(users); err != nil {
		_ = a.close(context.Background())

		return nil, err
	}

	return a, nil
}

// build makes the parts.
func (a *app) build(users map[string]wire.Secret) error {
	raiseFileLimit(a.log.Logger)
	n := a.config.Pgweir.Loops
	if n == 0 {
		n = runtime.GOMAXPROCS(0)
	}
	var err error
	a.loops, err = reactor.StartGroup(n, reactor.Options{
		Panicked: func(err error) { a.log.Error("panic on a loop", zap.Error(err)) },
	})
	if err != nil {
		return err
	}
	a.pools = pool.New(a.loops, a.log.Named("pool"))
	a.meter = newMeter(&a.config.Stats, a.loops, a.log.Named("stats"))
	a.proxy, err = proxy.New(proxy.Options{
		Config: a.config, Users: users, Loops: a.loops, Pools: a.pools, Meter: a.meter, Log: a.log.Named("proxy"),
	})
	if err != nil {
		return err
	}
	if err := a.listen(); err != nil {
		return err
	}

	return a.listenHTTP()
}

// loadUsers collects the secrets of all who may log in: the users of the
// configuration, and those of auth_file, as far as they are not among them.
func loadUsers(cfg *config.Config) (map[string]wire.Secret, error) {
	users := make(map[string]wire.Secret)
	if path := cfg.Pgweir.AuthFile; path != "" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("auth_file: %w", err)
		}
		defer f.Close()
		if users, err = wire.ParseUserlist(f); err != nil {
			return nil, fmt.Errorf("auth_file %s: %w", path, err)
		}
	}
	for name, u := range cfg.Users {
		secret, err := wire.ParseSecret(u.Password.Reveal())
		if err != nil {
			return nil, fmt.Errorf("users.%s.password: %w", name, err)
		}
		if secret.Kind() != wire.SecretNone || users[name].Kind() == wire.SecretNone {
			users[name] = secret
		}
	}

	return users, nil
}

// listen binds the addresses for clients.
func (a *app) listen() error {
	g := &a.config.Pgweir
	for _, addr := range g.ListenAddresses() {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return fmt.Errorf("listen on %s: %w", addr, err)
		}
		a.listeners = append(a.listeners, l)
	}
	if g.UnixSocketDir == "" {
		return nil
	}

	return a.listenUnix(g.UnixSocketDir, g.ListenPort, g.UnixSocketMode)
}

// listenUnix binds the unix socket, under the name that clients of PostgreSQL look
// for. One that a dead process has left behind is replaced.
func (a *app) listenUnix(dir string, port int, mode fs.FileMode) error {
	path := filepath.Join(dir, ".s.PGSQL."+strconv.Itoa(port))
	if c, err := net.Dial("unix", path); err == nil {
		_ = c.Close()

		return fmt.Errorf("listen on %s: somebody else does", path)
	}
	_ = os.Remove(path) // or Listen says what is wrong
	l, err := net.Listen("unix", path)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", path, err)
	}
	a.listeners = append(a.listeners, l)
	if err := os.Chmod(path, mode); err != nil {
		return fmt.Errorf("set mode of %s: %w", path, err)
	}

	return nil
}

// listenHTTP binds the address for metrics and health.
func (a *app) listenHTTP() error {
	addr := a.config.Pgweir.HTTPListen
	if addr == "" {
		return nil
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen on %s (http_listen): %w", addr, err)
	}
	a.webListen = l
	a.web = web.NewServer(web.Sources{
		Proxy: a.proxy, Pools: a.pools, Loops: a.loops, Meter: a.meter, LogDropped: a.log.sink.dropped.Load,
		Version: version, Log: a.log.Named("web"),
	})

	return nil
}

// start serves clients, in goroutines that end with close.
func (a *app) start() {
	if a.meter != nil {
		ctx, cancel := context.WithCancel(context.Background())
		a.measuring = cancel
		a.serving.Go(func() { a.meter.Run(ctx) })
	}
	for _, l := range a.listeners {
		a.log.Info("listening", zap.Stringer("addr", l.Addr()))
		a.serving.Go(func() { a.report(a.proxy.Serve(l), proxy.ErrClosed) })
	}
	if a.web != nil {
		a.log.Info("metrics and health", zap.String("url", "http://"+a.webListen.Addr().String()))
		a.serving.Go(func() { a.report(a.web.Serve(a.webListen), http.ErrServerClosed) })
	}
}

// report passes on the error of a listener, unless it is the expected one.
func (a *app) report(err, expected error) {
	if errors.Is(err, expected) {
		return
	}
	select {
	case a.failed <- err:
	default: // another was first
	}
}

// poolsTimeout is how long the pools are given to close, however long the drain was
// allowed to last: the clients are gone by then, and what is left to do is to tell
// PostgreSQL so, and to cancel the queries that nobody waits for any more.
const poolsTimeout = 2 * time.Second

// closePools closes the pools.
func (a *app) closePools() error {
	ctx, cancel := context.WithTimeout(context.Background(), poolsTimeout)
	defer cancel()

	return a.pools.Close(ctx)
}

// close ends everything, the last part first: clients are drained until ctx ends,
// then pools, loops and the HTTP pages, which so tell of the drain while it lasts.
func (a *app) close(ctx context.Context) error {
	var errs []error
	if a.proxy != nil {
		errs = append(errs, a.proxy.Shutdown(ctx))
	}
	for _, l := range a.listeners {
		_ = l.Close() // the proxy has, if it was serving
	}
	if a.pools != nil {
		errs = append(errs, a.closePools())
	}
	if a.web != nil {
		_ = a.web.Close()
	}
	if a.webListen != nil {
		_ = a.webListen.Close()
	}
	if a.measuring != nil {
		a.measuring()
	}
	a.serving.Wait()
	if a.loops != nil {
		a.loops.Stop()
	}

	return errors.Join(errs...)
}
