package proxy

import (
	"bytes"
	"container/list"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/pgweir/pgweir/meter"
)

// A statement is what PostgreSQL prepares: a text, and the types of its parameters.
// The clients of a route that prepare the same have the same statement, whatever they
// call it, and it has one name on all servers.
type statement struct {
	body string // of a Parse, behind the name: the text, the number of types, the types
	id   uint64
	lost bool // it was too large to keep: only the server that got it has it

	catalog uint64 // the state of the catalog that it was prepared in, or an earlier one

	traits   traits
	measured meter.Statement

	// version is counted up when what servers have prepared is of no use any more,
	// because a table has changed.
	version atomic.Uint32

	// Guarded by the table's mutex.
	users  int           // sessions that have it prepared, once for each name
	unused *list.Element // in the table's list of those without users
}

// newStatement returns a statement of whose text that is known.
func newStatement(body string, what known, lost bool) *statement {
	s := &statement{body: body, lost: lost, traits: what.traits}
	s.measured.Prepare(what.measured, []byte(body))

	return s
}

// statements is the table of all that the clients of a route have prepared. Its zero
// value is empty. Its methods may be called on any loop.
type statements struct {
	mu     sync.Mutex
	byBody map[string]*statement
	unused list.List // those without users, the last to lose its users first
	lastID uint64
}

// keepUnused is how many statements without users are remembered for the next client,
// which finds them prepared: those of an application that connects anew each time.
const keepUnused = 1000

// take returns the statement with that body for a client. The body is copied. If the
// catalog has changed since others prepared it they keep it to themselves: names in the
// text, and what is left open in it, may mean something else now.
func (t *statements) take(body []byte, catalog uint64, what known) *statement {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.byBody[string(body)]
	if s != nil && s.unused != nil {
		t.unused.Remove(s.unused)
		s.unused = nil
	}
	if s == nil || s.catalog != catalog {
		t.lastID++
		s = newStatement(string(body), what, false)
		s.id, s.catalog = t.lastID, catalog
		if t.byBody == nil {
			t.byBody = make(map[string]*statement)
		}
		t.byBody[s.body] = s
	}
	s.users++

	return s
}

// readBody returns what is known of the text of a Parse, of which body is what comes
// behind the name.
func (k *link) readBody(body []byte) known {
	text, _, _ := bytes.Cut(body, []byte{0})

	return k.read(text)
}

// drop is called when a client has s no more.
func (t *statements) drop(s *statement) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.users--; s.users > 0 || t.byBody[s.body] != s {
		return
	}
	s.unused = t.unused.PushFront(s)
	if t.unused.Len() > keepUnused {
		oldest := t.unused.Remove(t.unused.Back()).(*statement)
		delete(t.byBody, oldest.body)
	}
}

// clientStatements are what a client has prepared.
type clientStatements struct {
	named   map[string]namedStatement
	size    int        // of the texts in named, in bytes
	unnamed *statement // nil: none
}

// A namedStatement is one that a client has given a name.
type namedStatement struct {
	*statement
	name string
	// version is that of the statement whose columns the client knows.
	version uint32
}

// get returns what has that name, or nil.
func (c *clientStatements) get(name string) *statement {
	if name == "" {
		return c.unnamed
	}

	return c.named[name].statement
}

// set gives a name to a statement, or takes it away with nil.
func (c *clientStatements) set(name string, s *statement) {
	if name == "" {
		c.unnamed = s

		return
	}
	if old := c.named[name].statement; old != nil {
		c.size -= len(old.body)
		delete(c.named, name)
	}
	if s == nil {
		return
	}
	if c.named == nil {
		c.named = make(map[string]namedStatement)
	}
	c.named[name] = namedStatement{s, name, s.version.Load()}
	c.size += len(s.body)
}

// tell notes that the client knows, or is being told, of the columns that a statement has
// now.
func (c *clientStatements) tell(name string) {
	if s := c.named[name]; s.statement != nil {
		s.version = s.statement.version.Load()
		c.named[name] = s
	}
}

// takeNamed takes all that has a name.
func (c *clientStatements) takeNamed() map[string]namedStatement {
	named := c.named
	c.named, c.size = nil, 0

	return named
}

// mayHave reports whether the client may have one more, of that size.
func (c *clientStatements) mayHave(size int) bool {
	return len(c.named) < maxClientStatements && c.size+size <= maxClientText
}

// serverStatements is what a server has prepared: the statement without a name, and
// those that pgweir has given names there.
type serverStatements struct {
	unnamed *statement // nil: not known, or none
	named   map[*statement]*list.Element
	recent  list.List // of onServer, the last one used first
	epoch   uint64    // in new names: what went before it may still be there
}

// An onServer is a statement as a server has it.
type onServer struct {
	statement  *statement
	version    uint32
	name       string
	executions uint32 // or portals, which is the same mostly
}

// namePrefix is how pgweir's names of statements begin, for whoever looks into
// pg_prepared_statements.
const namePrefix = "pgweir_"

// nobodysName is a name that no statement has.
const nobodysName = namePrefix + "0"

// find returns what the server has of s, in whatever version; nil: nothing.
func (p *serverStatements) find(s *statement) *onServer {
	e := p.named[s]
	if e == nil {
		return nil
	}

	return e.Value.(*onServer)
}

// current is find for the version that is of use, and notes that it is used.
func (p *serverStatements) current(s *statement) *onServer {
	o := p.find(s)
	if o == nil || o.version != s.version.Load() {
		return nil
	}
	p.recent.MoveToFront(p.named[s])

	return o
}

// executed counts an execution of s, if the server has it and it was used last, and
// returns how many there were; 0: it has not.
func (p *serverStatements) executed(s *statement) uint32 {
	if p.recent.Len() == 0 {
		return 0
	}
	o := p.recent.Front().Value.(*onServer)
	if o.statement != s {
		return 0
	}
	o.executions++

	return o.executions
}

// add notes that the server is given s to prepare, and returns the name for it.
func (p *serverStatements) add(s *statement) string {
	name := namePrefix + strconv.FormatUint(s.id, 36)
	version := s.version.Load()
	if version > 0 || p.epoch > 0 {
		name += "_" + strconv.FormatUint(uint64(version), 36) + "_" + strconv.FormatUint(p.epoch, 36)
	}
	if p.named == nil {
		p.named = make(map[*statement]*list.Element)
	}
	p.named[s] = p.recent.PushFront(&onServer{statement: s, version: version, name: name})

	return name
}

// remove notes that the server has s no more.
func (p *serverStatements) remove(s *statement) {
	if e := p.named[s]; e != nil {
		p.recent.Remove(e)
		delete(p.named, s)
	}
}

// oldest returns what was not used for the longest time. There must be something.
func (p *serverStatements) oldest() *onServer {
	return p.recent.Back().Value.(*onServer)
}

// forget notes that the server has, or may have, nothing of all that. Should it be
// there after all it is in nobody's way: new names differ.
func (p *serverStatements) forget() {
	p.unnamed = nil
	clear(p.named)
	p.recent.Init()
	p.epoch++
}
