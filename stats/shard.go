package stats

import (
	"strings"
	"time"
)

// A Shard is where one loop books. All its methods are for that loop alone; none of them
// waits, and booking neither allocates nor takes a lock, unless something is slow.
type Shard struct {
	names *names
	rules SlowRules
	now   func() time.Time // for what is slow

	table     table
	delta     *delta
	fresh     []int32               // slots with a text that readers do not have
	usual     map[Key]time.Duration // p99 of what has been called often; readers made it
	routes    map[string]RouteID    // those seen on this loop
	allRoutes bool                  // there will be no others

	slowRate   rate
	suppressed uint64
	last       int32 // the slot of the last booking, -1 if it has none
	lastSlow   *Slow // what it was told of as, until its text is known
}

// A delta is what has been booked since it was empty. It passes from the loop to a
// reader and, empty, back.
type delta struct {
	booked  []booked // a place for each special fingerprint of each pool, then the slots
	touched []int32  // those of booked that are not empty
	slow    []Slow
	texts   map[Fingerprint]Text

	admitted, evicted uint64
}

// booked are the figures of one statement.
type booked struct {
	key     Key
	touched bool
	Figures
}

// firstSlot is where the slots begin in delta.booked.
const firstSlot = specials * maxPools

// newDelta returns an empty delta for so many statements. What is not touched costs
// no memory, as the system gives none for it.
func newDelta(tracked int) *delta {
	return &delta{booked: make([]booked, firstSlot+tracked), texts: make(map[Fingerprint]Text)}
}

// Booked is what became of an execution that was booked.
type Booked struct {
	// Slow is what is to be logged; nil if there is nothing. It is valid until the next
	// call.
	Slow *Slow
	// Describe asks for a call of [Shard.Describe].
	Describe bool
}

// Book books a statement that has been answered.
func (s *Shard) Book(x *Execution) Booked {
	s.last, s.lastSlow = -1, nil
	k := Key{Fingerprint: x.Fingerprint, Pool: x.Pool}
	place := specials*int(k.Pool) + int(Other)
	var sl *slot
	switch {
	case k.Fingerprint < specials:
		place += int(k.Fingerprint)
	default:
		i, evicted := s.table.find(k, x.weight())
		if evicted {
			s.fold(firstSlot + int(i))
		}
		if i >= 0 {
			s.last, sl, place = i, &s.table.slots[i], firstSlot+int(i)
		}
	}
	f := s.touch(place, k)
	f.book(x)
	out := Booked{Describe: sl != nil && !sl.described}
	if reason, limit := s.slowness(x, k); reason != "" {
		s.slow(x, k, sl, f, reason, limit, &out)
	}

	return out
}

// touch returns the figures at a place, which are not empty from now on.
func (s *Shard) touch(place int, k Key) *Figures {
	b := &s.delta.booked[place]
	if b.Calls == 0 {
		if place < firstSlot {
			k.Fingerprint = Fingerprint(place % specials)
		}
		b.key = k
		if !b.touched {
			b.touched = true
			s.delta.touched = append(s.delta.touched, int32(place))
		}
	}

	return &b.Figures
}

// fold moves the figures of a slot that has been given to another statement to the
// tail.
func (s *Shard) fold(place int) {
	b := &s.delta.booked[place]
	if b.Calls == 0 {
		return
	}
	s.touch(specials*int(b.key.Pool)+int(Other), b.key).add(&b.Figures)
	b.Figures = Figures{}
}

// slow notes that an execution was slow, and tells of it unless too many are.
func (s *Shard) slow(x *Execution, k Key, sl *slot, f *Figures, reason SlowReason, limit time.Duration, out *Booked) {
	f.Last = SlowSample{
		At: s.now().UnixNano(), Server: x.Server, Wait: x.Wait, Gap: x.Gap, Rows: x.Rows, Route: x.Route,
	}
	out.Slow = s.tell(x, k, sl, reason, limit)
	if out.Slow != nil && out.Slow.Text == (Text{}) && k.Fingerprint >= specials {
		s.lastSlow = out.Slow
		out.Describe = true
	}
}

// MaxText is how many bytes of a normalised text are kept.
const MaxText = 4 << 10

// Describe says what the statement looks like that was booked last. It is called if
// that asked for it, which it does about once for each tracked statement: making the
// text may cost something. The strings are copied.
func (s *Shard) Describe(t Text) {
	t = Text{
		Summary:    strings.Clone(tidy(t.Summary, maxName)),
		Normalised: strings.Clone(tidy(t.Normalised, MaxText)),
	}
	if s.lastSlow != nil {
		s.lastSlow.Text = t
	}
	if s.last < 0 {
		return
	}
	sl := &s.table.slots[s.last]
	sl.described, sl.text = true, t
	if !sl.fresh {
		sl.fresh = true
		s.fresh = append(s.fresh, s.last)
	}
}

// Route returns the number of a route by its name, which is not kept. "" is that of
// no route.
func (s *Shard) Route(name []byte) RouteID {
	if len(name) == 0 {
		return 0
	}
	if id, ok := s.routes[string(name)]; ok {
		return id
	}
	if s.allRoutes {
		return otherRoute
	}
	if s.allRoutes = s.names.full.Load(); s.allRoutes {
		s.routes = s.names.allRoutes()

		return s.Route(name)
	}
	shown := tidy(string(name), maxName)
	id := s.names.route(shown)
	if id != otherRoute {
		s.routes[shown] = id
	}

	return id
}

// handOver takes what has been booked since the last time, and gives the loop an empty
// delta to go on with, and what is usual. It costs the loop next to nothing, however
// much has been booked. A reader that lacks texts gets all there are.
func (s *Shard) handOver(empty *delta, usual map[Key]time.Duration, lacksTexts bool) *delta {
	full := s.delta
	if lacksTexts {
		for i := range s.table.slots {
			if sl := &s.table.slots[i]; sl.described {
				full.texts[sl.key.Fingerprint] = sl.text
			}
		}
	}
	for _, i := range s.fresh {
		sl := &s.table.slots[i]
		sl.fresh = false
		if sl.described {
			full.texts[sl.key.Fingerprint] = sl.text
		}
	}
	s.fresh = s.fresh[:0]
	full.admitted, full.evicted = s.table.admitted, s.table.evicted
	s.table.admitted, s.table.evicted = 0, 0
	s.delta, s.usual = empty, usual

	return full
}

// clear empties a delta that has been read.
func (d *delta) clear() {
	for _, i := range d.touched {
		d.booked[i] = booked{}
	}
	clear(d.texts)
	clear(d.slow)
	d.touched, d.slow = d.touched[:0], d.slow[:0]
}
