package stats

import (
	"cmp"
	"slices"
	"time"
)

// A registry is what all loops have booked. It belongs to whoever is past the gate of
// its Statements.
type registry struct {
	tracked  int
	keepSlow int
	now      func() time.Time
	since    time.Time
	entries  map[Key]*entry
	texts    map[Fingerprint]Text
	slow     []Slow
	minute   int64                 // of the last halving of weights
	usual    map[Key]time.Duration // p99 of the entries with a history; not changed once made

	lacksTexts bool // of entries that came back after their texts were forgotten

	admitted, evicted uint64 // by the shards, and here
}

// An entry is one statement of one pool.
type entry struct {
	key    Key
	since  time.Time
	weight uint64 // halved each minute
	trend  [trendMinutes]TrendPoint
	Figures
}

// trendMinutes is how long the trend is.
const trendMinutes = 10

// A TrendPoint is what was booked in one minute.
type TrendPoint struct {
	Minute int64 // since 1970
	Calls  uint64
	Errors uint64
	Server time.Duration
}

// init makes an empty registry.
func (r *registry) init(o Options) {
	r.tracked, r.keepSlow, r.now = o.Tracked, o.Slow.Keep, o.Now
	r.texts = make(map[Fingerprint]Text)
	r.reset()
}

// reset forgets all figures, and keeps the texts, which the shards tell of once.
func (r *registry) reset() {
	r.since = r.now()
	r.entries = make(map[Key]*entry)
	r.slow = nil
}

// merge adds what a loop has handed over.
func (r *registry) merge(d *delta) {
	minute := r.now().Unix() / 60
	for _, i := range d.touched {
		b := &d.booked[i]
		if b.Calls == 0 { // it was given to another
			continue
		}
		e := r.entry(b.key)
		e.weight += b.Calls + uint64(b.Server()/time.Millisecond)
		e.mark(minute, &b.Figures)
		e.add(&b.Figures)
	}
	for fp, t := range d.texts {
		r.texts[fp] = t
	}
	for _, s := range d.slow {
		r.slow = push(r.slow, s, r.keepSlow)
	}
	r.admitted += d.admitted
	r.evicted += d.evicted
}

// entry returns the entry of a key, which it makes if there is none.
func (r *registry) entry(k Key) *entry {
	e, ok := r.entries[k]
	if !ok {
		e = &entry{key: k, since: r.now()}
		r.entries[k] = e
	}

	return e
}

// mark adds figures to the trend.
func (e *entry) mark(minute int64, f *Figures) {
	p := &e.trend[minute%trendMinutes]
	if p.Minute != minute {
		*p = TrendPoint{Minute: minute}
	}
	p.Calls += f.Calls
	p.Errors += f.Errors
	p.Server += f.Server()
}

// settle brings the registry back to its size, and finds out what is usual.
func (r *registry) settle() {
	if minute := r.now().Unix() / 60; minute != r.minute {
		r.minute = minute
		for _, e := range r.entries {
			e.weight /= 2
		}
	}
	r.trim()
	r.usual = make(map[Key]time.Duration)
	r.lacksTexts = false
	for k, e := range r.entries {
		if _, ok := r.texts[k.Fingerprint]; !ok && k.Fingerprint >= specials {
			r.lacksTexts = true
		}
		if k.Fingerprint >= specials && e.Latency.Count() >= outlierCalls {
			r.usual[k] = e.Latency.Quantile(0.99)
		}
	}
}

// trim moves the lightest entries to the tail until there are no more than are tracked.
// The loops track as many each, and not all the same.
func (r *registry) trim() {
	var all []*entry
	for k, e := range r.entries {
		if k.Fingerprint >= specials {
			all = append(all, e)
		}
	}
	if len(all) > r.tracked {
		slices.SortFunc(all, func(a, b *entry) int { return cmp.Compare(b.weight, a.weight) })
		for _, e := range all[r.tracked:] {
			delete(r.entries, e.key)
			r.entry(Key{Fingerprint: Other, Pool: e.key.Pool}).fold(e)
			r.evicted++
		}
	}
	if len(r.texts) > 2*r.tracked {
		r.forgetTexts()
	}
}

// fold adds another entry with its trend.
func (e *entry) fold(o *entry) {
	e.add(&o.Figures)
	for _, p := range o.trend {
		if at := &e.trend[p.Minute%trendMinutes]; at.Minute == p.Minute {
			at.Calls += p.Calls
			at.Errors += p.Errors
			at.Server += p.Server
		} else if at.Minute < p.Minute {
			*at = p
		}
	}
}

// forgetTexts forgets the texts of what is not tracked.
func (r *registry) forgetTexts() {
	live := make(map[Fingerprint]bool, len(r.entries))
	for k := range r.entries {
		live[k.Fingerprint] = true
	}
	for fp := range r.texts {
		if !live[fp] {
			delete(r.texts, fp)
		}
	}
}
