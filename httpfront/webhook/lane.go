package webhook

import (
	"context"
	"crypto/sha256"
	"hash"
	"slices"
	"time"

	"ssod/actors/event"
	"ssod/cluster"
)

// lane is what waits in a shard that this node leads.
type lane struct {
	shard      cluster.ShardID
	handle     cluster.Shard
	posted     uint64
	looked     bool
	streams    map[uint64]*stream
	extra      []cluster.Mark // of dead letters
	committing bool
	pruned     time.Time
}

func newLane(id cluster.ShardID, h cluster.Shard) *lane {
	return &lane{shard: id, handle: h, streams: map[uint64]*stream{}}
}

// look reads what was posted since it was called last. It counts only as many events as the
// budget has; the rest in the next turn.
func (l *lane) look(room int, budget *int) error {
	if err := l.count(budget); err != nil {
		return err
	}
	for _, s := range l.streams {
		if err := s.fill(l.handle, room); err != nil {
			return err
		}
	}
	return nil
}

func (l *lane) count(budget *int) error {
	posted := l.handle.Posted()
	if l.looked && posted == l.posted || *budget <= 0 {
		return nil
	}
	receivers, err := l.handle.Receivers(cluster.EventQueue)
	if err != nil {
		return err
	}
	for _, id := range receivers {
		s := l.streams[id]
		if s == nil {
			s = &stream{receiver: id}
			l.streams[id] = s
		}
		if err := s.tally(l.handle, budget); err != nil {
			return err
		}
	}
	if *budget > 0 {
		l.posted, l.looked = posted, true
	}
	return nil
}

// maxMarks and maxMarked bound the marks of a commit and the bytes of their dead letters.
// What is more is marked by the next one.
const (
	maxMarks  = 2048
	maxMarked = 1 << 20
)

// settlement is a commit of marks.
type settlement struct {
	handle cluster.Shard
	commit cluster.Commit
	marked map[cluster.EventKey]bool
	lost   map[uint64]int // events that go without a dead letter, by receiver
	err    error
}

// settle is the commit of what has become of events; nil when there is nothing to say.
func (l *lane) settle(d *Dispatcher, now time.Time) *settlement {
	c := &settlement{handle: l.handle, marked: map[cluster.EventKey]bool{}, lost: map[uint64]int{}}
	c.commit.Marks = slices.Clip(l.extra[:min(len(l.extra), maxMarks)])
	for _, m := range c.commit.Marks {
		c.marked[m.Key] = true
	}
	bytes := 0
	for _, s := range l.streams {
		told := obituary{}
		for _, it := range s.items {
			if it.fate == waits || len(c.commit.Marks) >= maxMarks || bytes >= maxMarked {
				continue
			}
			m := it.mark(now, d.why(s.receiver))
			bytes += len(m.Body)
			c.commit.Marks = append(c.commit.Marks, m)
			c.marked[it.key] = true
			told.add(it)
			if it.lost && it.fate == dropped {
				c.lost[s.receiver]++
			}
		}
		c.commit.Events = append(c.commit.Events, d.droppedEvent(s.receiver, &told, now)...)
	}
	if len(c.commit.Marks) == 0 {
		return nil
	}
	return c
}

func (it *item) mark(now time.Time, why string) cluster.Mark {
	if it.fate != died {
		return cluster.Mark{Key: it.key, Fate: cluster.Delivered}
	}
	dead := it.letter
	dead.Died, dead.Attempts, dead.Why = now, it.attempts, why
	return cluster.Mark{Key: it.key, Fate: cluster.Dead, Body: dead.encode()}
}

// obituary is what a receiver is told of the events that a commit gives up.
type obituary struct {
	note dropNote
	id   hash.Hash
}

func (o *obituary) add(it *item) {
	if it.tells.Count == 0 {
		return
	}
	if o.id == nil {
		o.id = sha256.New()
	}
	o.id.Write([]byte(it.key)) // replayed, it has another one
	o.id.Write(it.letter.ID[:])
	o.note.add(it.tells)
}

// droppedEvent tells a receiver that events were given up. Its id follows from these: who
// gives the same up again, since that was not committed, tells it with the same id.
func (d *Dispatcher) droppedEvent(receiver uint64, o *obituary, now time.Time) []cluster.Event {
	r := d.receivers[receiver]
	if o.id == nil || r == nil || !r.hook.Wants(string(event.EventsDropped)) {
		return nil
	}
	f := event.Fact{Type: event.EventsDropped, Realm: r.realm, Count: o.note.Count, Since: o.note.Since}
	id := [16]byte(o.id.Sum(nil))
	var events []cluster.Event
	for _, body := range bodies(&r.hook, f, now, nil) {
		events = append(events, cluster.Event{Receiver: r.id, Body: letter{Created: now, ID: id, JSON: body}.encode()})
	}
	return events
}

// commit carries the settlement out.
func (c *settlement) run(ctx context.Context) { c.err = c.handle.Commit(ctx, c.commit) }

// settled takes the end of a commit.
func (l *lane) settled(c *settlement) {
	l.committing = false
	if c.err != nil {
		return // it is tried again in a second, unless another node leads
	}
	kept := l.extra[:0]
	for _, m := range l.extra {
		if !c.marked[m.Key] {
			kept = append(kept, m)
		}
	}
	l.extra = kept
	for _, s := range l.streams {
		s.settle(c.marked)
	}
}
