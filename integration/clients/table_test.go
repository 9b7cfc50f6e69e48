package clients

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// A table says of each client how it did on each route. The zero value is empty. Its
// methods may be called by several goroutines.
type table struct {
	mu   sync.Mutex // guards the following
	rows []string   // the clients, in the order of their first results
	cell map[[2]string]string
}

// book writes down how a client did.
func (l *table) book(client, route string, took time.Duration, passed bool, remark string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cell == nil {
		l.cell = make(map[[2]string]string)
	}
	if !slices.Contains(l.rows, client) {
		l.rows = append(l.rows, client)
	}
	result := "pass"
	if !passed {
		result = "FAIL"
	}
	l.cell[[2]string{client, route}] = strings.TrimSpace(fmt.Sprintf("%s %s %s", result, seconds(took), remark))
}

// String returns the table in Markdown.
func (l *table) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	line := func(cells ...string) {
		b.WriteString("|")
		for _, cell := range cells {
			fmt.Fprintf(&b, " %-22s |", cell)
		}
		b.WriteString("\n")
	}
	line(append([]string{"client"}, routes()...)...)
	line(slices.Repeat([]string{"---"}, 1+len(routes()))...)
	for _, client := range l.rows {
		cells := []string{client}
		for _, route := range routes() {
			cells = append(cells, l.cell[[2]string{client, route}])
		}
		line(cells...)
	}

	return b.String()
}
