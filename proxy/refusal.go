package proxy

import (
	"errors"
	"io"
	"syscall"
	"time"

	"github.com/pgweir/pgweir/internal/reactor"
	"github.com/pgweir/pgweir/pool"
	"github.com/pgweir/pgweir/wire"
)

// A refusal is why a client that has said who it is was not let in.
type refusal struct {
	error
	start *wire.StartupRequest
}

// lingerTimeout bounds how long a connection that is turned away is given to take
// the reason.
const lingerTimeout = time.Second

// turnAway ends a login: it tells the client why, if there is anything to say and
// somebody to say it to, and closes the connection. It may wait.
func (l *login) turnAway(err error) {
	defer l.conn.Close()
	l.proxy.countRefusal(err, l)
	var answer []byte
	var http *wire.HTTPError
	if errors.As(err, &http) {
		answer = http.AppendResponse(nil, metricsURL(l.proxy.config.Pgweir.HTTPListen))
	} else if e := loginError(err); e != nil {
		answer = e.Append(nil)
	}
	if len(answer) == 0 || !l.started && errors.Is(err, errLoginTimeout) {
		return // it may not even speak our protocol
	}
	l.stop = nil
	l.deadline = l.loop.Now() + lingerTimeout
	if _, err := l.Write(answer); err == nil {
		l.conn.CloseWrite()
		l.linger()
	}
}

// linger reads on until the peer closes: closing with unread bytes would make the
// system throw away what the peer has yet to read. It may wait.
func (l *login) linger() {
	buf := l.loop.Borrow(reactor.SmallBuffer)
	defer l.loop.Return(buf)
	for range 8 {
		if _, err := l.Read(buf); err != nil {
			return
		}
	}
}

// isPeers reports whether an error at login is the doing of a peer that is gone, or
// that is no client of PostgreSQL: there is nobody to tell.
func isPeers(err error) bool {
	var http *wire.HTTPError
	var errno syscall.Errno

	return errors.As(err, &errno) || errors.As(err, &http) || errors.Is(err, wire.ErrSilent) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// loginError turns an error into what a client at login is told; nil if there is
// nobody to tell. There ERROR is not enough: it would wait for more.
func loginError(err error) *wire.Error {
	var own *wire.Error
	var open *pool.OpenError // it may hold an error of the network as well, but not the client's
	if !errors.As(err, &own) && !errors.As(err, &open) && isPeers(err) {
		return nil
	}
	e := clientError(err)
	if e != nil && !e.Fatal() {
		fatal := *e
		fatal.Severity = errInternal.Severity

		return &fatal
	}

	return e
}

// metricsURL is where the metrics are, for a person who has come to the wrong port.
func metricsURL(listen string) string {
	if listen == "" {
		return ""
	}

	return "http://" + listen + "/metrics"
}

// Unwrap returns the reason.
func (r refusal) Unwrap() error {
	return r.error
}
