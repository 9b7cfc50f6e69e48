package nplusone

import (
	"time"
	"unsafe"
)

// episodes keeps the open episodes of a loop, or of a shard, in the order in which they
// were used, and what they are made of. It belongs to its loop, or to who holds the lock
// of the shard.
type episodes struct {
	group          *Group
	oldest, newest *episode
	open           int

	bytes, limit int // of all that was made, in use or not

	freeEpisodes []*episode
	freeSlots    []*slot
	freeParents  []*parent

	closed func(*episode) // told of each that ends; nil if nobody wants to know
}

// newEpisode opens an episode. Where there is no room the oldest ends.
func (s *episodes) newEpisode(x *Execution) *episode {
	for s.bytes > s.limit && s.oldest != nil {
		s.evict()
		s.trim()
	}
	var e *episode
	if n := len(s.freeEpisodes); n > 0 {
		e, s.freeEpisodes = s.freeEpisodes[n-1], s.freeEpisodes[:n-1]
	} else {
		e = new(episode)
		s.grow(int(unsafe.Sizeof(*e)))
	}
	*e = episode{home: s, origin: x.Client.Origin, tags: x.Tags, began: x.At - x.Exec, used: x.At}
	s.append(e)
	s.open++

	return e
}

// newSlot returns a slot with anything in it.
func (s *episodes) newSlot() *slot {
	if n := len(s.freeSlots); n > 0 {
		last := s.freeSlots[n-1]
		s.freeSlots = s.freeSlots[:n-1]

		return last
	}
	s.grow(int(unsafe.Sizeof(slot{})))

	return new(slot)
}

// newParent returns an empty parent.
func (s *episodes) newParent() *parent {
	if n := len(s.freeParents); n > 0 {
		last := s.freeParents[n-1]
		s.freeParents = s.freeParents[:n-1]
		*last = parent{}

		return last
	}
	s.grow(int(unsafe.Sizeof(parent{})))

	return new(parent)
}

// grow counts bytes that were made, or let go of if n is negative.
func (s *episodes) grow(n int) {
	s.bytes += n
	s.group.bytes.Add(int64(n))
}

// freeParent takes a parent back.
func (s *episodes) freeParent(p *parent) {
	s.freeParents = append(s.freeParents, p)
}

// trim lets go of what is over, so that a peak does not last.
func (s *episodes) trim() {
	if s.bytes <= s.limit {
		return
	}
	s.grow(-len(s.freeEpisodes)*int(unsafe.Sizeof(episode{})) - len(s.freeSlots)*int(unsafe.Sizeof(slot{})) -
		len(s.freeParents)*int(unsafe.Sizeof(parent{})))
	s.freeEpisodes, s.freeSlots, s.freeParents = nil, nil, nil
}

// evict ends the oldest episode, for lack of room.
func (s *episodes) evict() {
	s.group.evicted.Add(1)
	s.oldest.cut = true
	s.end(s.oldest)
}

// end judges an episode and takes it apart.
func (s *episodes) end(e *episode) {
	e.judge(e.all())
	if s.group.ended != nil && !e.cut {
		s.group.ended(Request{
			Origin: e.origin, Tags: e.tags, Statements: uint64(e.statements), Distinct: uint64(e.different),
			Took: e.used - e.began, Certain: e.key != 0 || e.oneTx,
		})
	}
	s.remove(e)
	s.open--
	if s.closed != nil {
		s.closed(e)
	}
	if e.client != nil {
		e.client.episode = nil
	}
	for _, slot := range e.slots {
		if slot != nil {
			s.freeSlots = append(s.freeSlots, slot)
		}
	}
	for _, p := range e.parents {
		if p != nil {
			s.freeParents = append(s.freeParents, p)
		}
	}
	*e = episode{}
	s.freeEpisodes = append(s.freeEpisodes, e)
}

// rest ends the episodes that were not used for longer than rest.
func (s *episodes) rest(now, rest time.Duration) {
	for e := s.oldest; e != nil; {
		next := e.newer
		if now-e.used <= rest {
			break
		}
		s.end(e)
		e = next
	}
	s.trim()
}

// touch makes an episode the newest.
func (s *episodes) touch(e *episode) {
	if s.newest != e {
		s.remove(e)
		s.append(e)
	}
}

// append links an episode in as the newest.
func (s *episodes) append(e *episode) {
	e.older, e.newer = s.newest, nil
	if s.newest != nil {
		s.newest.newer = e
	} else {
		s.oldest = e
	}
	s.newest = e
}

// remove unlinks an episode.
func (s *episodes) remove(e *episode) {
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		s.oldest = e.newer
	}
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		s.newest = e.older
	}
}
