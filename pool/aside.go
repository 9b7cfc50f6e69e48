package pool

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/pgweir/pgweir/wire"
)

// Aside runs f with a session of its own, with the login of the pool's servers, which is
// none of them: it counts for no limit, and ends with f. Reads and writes of f fail when
// ctx ends. It must not be called on a loop; whoever calls it sees to it that there are
// few of them.
func (p *Pool) Aside(ctx context.Context, f func(io.ReadWriter) error) error {
	nc, err := p.dial(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer nc.Close()
	defer context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })()
	stream := wire.NewLoginConn(nc, make([]byte, wire.LoginBuffer))
	if _, err := wire.Login(stream, p.options.Login); err != nil {
		return fmt.Errorf("log in: %w", err)
	}

	return f(stream)
}
