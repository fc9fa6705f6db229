package actors

import "time"

const (
	// minSlot is how short a slot of the sweep may be.
	minSlot = 10 * time.Millisecond
	// few is how many entities may get their Tick at once.
	few = 100
)

// sweep ticks and passivates the entities of all shards: one goroutine for the node, not
// a timer per entity. Each shard has its slot of the tick, because ticking all entities
// that were used in the same second at once would delay requests. A few delay nothing,
// so an idle node wakes once in a tick.
func (r *Runtime) sweep() {
	slots := max(1, min(len(r.shards), int(r.limits.Tick/minSlot)))
	slotLen := r.limits.Tick / time.Duration(slots)
	pace := time.NewTicker(slotLen)
	defer pace.Stop()
	slot, age := 0, r.idleTicks()
	for {
		select {
		case <-pace.C:
		case <-r.crowded:
			r.sweepAll()
			continue
		case <-r.ctx.Done():
			return
		}
		if slot = (slot + 1) % slots; slot == 0 {
			r.ticks.Add(1)
			age = r.oldest()
			if r.active.Load() <= few {
				pace.Reset(r.limits.Tick)
				r.sweepFrom(age)
				slot = slots - 1
				continue
			}
			pace.Reset(slotLen)
		}
		for i := slot; i < len(r.shards); i += slots {
			r.shards[i].sweep(age)
		}
	}
}

// makeRoom asks for a sweep now.
func (r *Runtime) makeRoom() {
	select {
	case r.crowded <- struct{}{}:
	default:
	}
}

func (r *Runtime) sweepAll() { r.sweepFrom(r.oldest()) }

// sweepFrom sweeps all shards and passivates entities of that age.
func (r *Runtime) sweepFrom(age uint32) {
	for _, s := range r.shards {
		s.sweep(age)
	}
}

func (s *shard) sweep(age uint32) {
	s.dropLost()
	if l := s.led.Load(); l != nil {
		l.sweep(age)
	}
}

// idleTicks is the age, in ticks, at which an unused entity is passivated.
func (r *Runtime) idleTicks() uint32 { return uint32(max(1, r.limits.Idle/r.limits.Tick)) }

// crowd is a number of entities and their approximate memory.
type crowd struct{ count, bytes int64 }

func (c *crowd) add(d crowd) {
	c.count += d.count
	c.bytes += d.bytes
}

// excess is what the node holds above nine tenths of its limits.
func (r *Runtime) excess() crowd {
	return crowd{r.active.Load() - int64(r.limits.Active)*9/10, r.bytes.Load() - r.limits.Bytes*9/10}
}

// oldest returns the age from which entities are passivated now: the idle time, or less
// near the limits, so that the least recently used go, down to nine tenths.
func (r *Runtime) oldest() uint32 {
	age := r.idleTicks()
	excess := r.excess()
	if excess.count <= 0 && excess.bytes <= 0 {
		return age
	}
	ages := make([]crowd, age+1)
	for _, s := range r.shards {
		if l := s.led.Load(); l != nil {
			l.countAges(ages)
		}
	}
	for ; age > 0; age-- {
		excess.add(crowd{-ages[age].count, -ages[age].bytes})
		if excess.count <= 0 && excess.bytes <= 0 {
			break
		}
	}
	return age
}

// countAges adds the leadership's entities to ages; the last element counts all that
// are at least as old.
func (l *leadership) countAges(ages []crowd) {
	now := l.runtime.ticks.Load()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.entities {
		for ; a != nil; a = a.next {
			ages[min(now-a.used.Load(), uint32(len(ages)-1))].add(crowd{1, int64(a.size.Load())})
		}
	}
}

// sweep sends a tick to the entities that are old enough to go and to those
// that want one. An idle entity is left alone until then.
func (l *leadership) sweep(age uint32) {
	now := l.runtime.ticks.Load()
	var found []*activation
	l.mu.Lock()
	for _, a := range l.entities {
		for ; a != nil; a = a.next {
			unused := now - a.used.Load()
			if unused >= age || unused >= a.kind.Quiet && a.restless.Load() {
				found = append(found, a)
			}
		}
	}
	l.mu.Unlock()
	for _, a := range found {
		if !a.ticking.Swap(true) {
			a.post(tick{retire: now-a.used.Load() >= age})
		}
	}
}

// tick has the entity commit what it kept back, and passivates it when it is idle and
// old enough.
func (a *activation) tick(retire bool) {
	a.ticking.Store(false)
	if a.leaving || a.lead.over() {
		return
	}
	idle := a.entity == nil || a.tickEntity(retire)
	a.expire()
	if !idle || a.open != nil {
		a.restless.Store(true)
		return
	}
	if retire && !a.committing && a.lead.retire(a) {
		a.stop()
	}
}

// expire gives up turns that were left open beyond their deadline; they would count as
// in flight for ever.
func (a *activation) expire() {
	now := time.Now()
	for t := a.open; t != nil; {
		next := t.next
		if t.late(now) {
			t.finish(answer{code: Code_UNKNOWN})
		}
		t = next
	}
}

func (a *activation) tickEntity(retire bool) (idle bool) {
	a.restless.Store(false)
	t := &Turn{entity: a, origin: own}
	if retire {
		t.origin = retiring
	}
	defer a.guard(t)
	idle = a.entity.Tick(t)
	t.close()
	return idle
}
