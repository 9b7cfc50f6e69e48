package integration

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// TestCrowd has 1000 clients share 10 servers. Every answer must be the asker's own.
func TestCrowd(t *testing.T) {
	clients, rounds := 1000, 12
	if testing.Short() {
		clients, rounds = 200, 6
	}
	p := start(t, options{
		settings: table{"default_pool_size": 10, "max_client_conn": clients},
		crowd:    clients,
	})
	var done sync.WaitGroup
	failures := make(chan string, clients)
	for i := range clients {
		c := p.login(t)
		done.Go(func() {
			if failure := converse(c, i, rounds); failure != "" {
				failures <- failure
			}
			c.send(terminateMessage())
			c.rest()
		})
	}
	done.Wait()
	close(failures)
	for failure := range failures {
		t.Error(failure)
	}
	m := p.metrics()
	if opened := m.sum("pgweir_server_opens_total", ""); opened > 10 {
		t.Errorf("%v servers were opened for a pool of 10", opened)
	}
}

// An exchange is what a client sends and what it must get.
type exchange struct {
	send []pgproto3.FrontendMessage
	want []string
}

// converse runs a client's rounds. It returns what went wrong.
func converse(c *client, id, rounds int) string {
	for n := range rounds {
		token := fmt.Sprintf("%d-%d", id, n)
		kinds := exchanges(token)
		e := kinds[(id+n)%len(kinds)]
		c.send(e.send...)
		var got []string
		for len(got) < len(e.want) {
			got = append(got, c.answer()...)
			if last := got[len(got)-1]; last == closed || last == silent {
				break
			}
		}
		if !slices.Equal(got, e.want) {
			return fmt.Sprintf("client %d, round %d: got %q, want %q", id, n, got, e.want)
		}
	}

	return ""
}

// exchanges returns the kinds of exchanges, with a token in all they ask for.
func exchanges(token string) []exchange {
	literal := "SELECT '" + token + "' AS t"
	simple := []string{"T t", "D " + token, "C SELECT 1", "Z I"}
	extended := []string{"ParseComplete", "BindComplete", "D " + token, "C SELECT 1"}
	echo := statement("SELECT $1::text AS t", token)

	return []exchange{
		{[]pgproto3.FrontendMessage{&pgproto3.Query{String: literal}}, simple},
		{append(echo[:3:3], syncMessage()), append(extended[:4:4], "Z I")},
		{ // a pipeline with an error in the middle
			slices.Concat(echo, []pgproto3.FrontendMessage{syncMessage()},
				statement("SELECT 1/(length($1)-length($1))", token), echo, []pgproto3.FrontendMessage{syncMessage()},
				echo, []pgproto3.FrontendMessage{syncMessage()}),
			slices.Concat(extended, []string{"Z I", "ParseComplete", "E ERROR 22012", "Z I"}, extended, []string{"Z I"}),
		},
		{ // a transaction
			[]pgproto3.FrontendMessage{
				&pgproto3.Query{String: "BEGIN"}, &pgproto3.Query{String: literal}, &pgproto3.Query{String: "COMMIT"},
			},
			[]string{"C BEGIN", "Z T", "T t", "D " + token, "C SELECT 1", "Z T", "C COMMIT", "Z I"},
		},
		{ // a failed one
			[]pgproto3.FrontendMessage{
				&pgproto3.Query{String: "BEGIN; " + literal + "; SELECT 1/0"},
				&pgproto3.Query{String: literal}, &pgproto3.Query{String: "ROLLBACK"},
			},
			[]string{
				"C BEGIN", "T t", "D " + token, "C SELECT 1", "E ERROR 22012", "Z E",
				"E ERROR 25P02", "Z E", "C ROLLBACK", "Z I",
			},
		},
	}
}
