package wirescript

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pgweir/pgweir/wire"
)

// sql runs SQL in PostgreSQL itself and records what it returns.
func (p *player) sql(sql string) error {
	heard, err := p.ask(sql)
	for _, text := range heard {
		p.record(text)
	}

	return err
}

// wait waits until a query put to PostgreSQL itself returns true.
func (p *player) wait(sql string) error {
	const interval = 2 * time.Millisecond
	for deadline := time.Now().Add(patience); ; {
		heard, err := p.ask(sql)
		if err != nil {
			return err
		}
		if len(heard) > 0 && heard[0] == `D "t"` {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not after %v; it is %q", patience, heard)
		}
		time.Sleep(interval) //nolint:forbidigo // PostgreSQL does not tell when it becomes true
	}
}

// ask runs SQL in PostgreSQL itself and returns the rows and errors.
func (p *player) ask(sql string) ([]string, error) {
	if p.direct == nil {
		nc, err := p.target.Direct()
		if err != nil {
			return nil, err
		}
		p.direct = newConn(nc, nil)
		if refused, err := logIn(p.direct, p.target.DirectUser, p.target.DirectDatabase, nil); err != nil || refused != nil {
			return nil, fmt.Errorf("log in to PostgreSQL: %q, %w", refused, err)
		}
	}
	p.direct.out = wire.AppendQuery(nil, sql)
	p.direct.flush()

	return p.direct.result()
}

// result returns the rows and errors of a query.
func (c *conn) result() ([]string, error) {
	var heard []string
	for {
		typ, body, err := c.receive(patience)
		if errors.Is(err, io.EOF) {
			return append(heard, closed), nil
		}
		if err != nil {
			return heard, err
		}
		switch typ {
		case wire.ReadyForQuery:
			return heard, nil
		case wire.DataRow, wire.ErrorResponse:
			heard = append(heard, describe(typ, body))
		}
	}
}
