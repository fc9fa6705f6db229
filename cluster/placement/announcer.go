package placement

import (
	"context"
	"maps"
	"math"
	"sync"
	"time"

	"ssod/cluster"
)

// announcer tells the other nodes which shards this one leads.
type announcer struct {
	p *Placement

	mu   sync.Mutex
	told map[NodeID]report // the last one
	busy map[NodeID]bool   // a report is on its way
}

// report is what this node says of itself.
type report struct {
	leads        map[cluster.ShardID]uint64
	notAccepting bool
	bad          bool // its disk
	at           time.Time
}

// retell is how often every node is told again: it may have no replica of a shard that is
// led here, it must not forget that this node accepts no leads, and measurements change.
const retell = 5 * time.Second

func newAnnouncer(p *Placement) *announcer {
	return &announcer{p: p, told: map[NodeID]report{}, busy: map[NodeID]bool{}}
}

// look tells the other nodes, each in a goroutine of its own.
func (h *announcer) look(ctx context.Context) {
	h.p.measureLoad(time.Now())
	now := report{leads: h.p.leads(), notAccepting: h.p.declines(), bad: h.p.badDisk(), at: time.Now()}
	for _, n := range h.p.registry.others(h.p.self) {
		switch {
		case !h.p.Alive(n.ID):
			h.forget(n.ID)
		case h.begin(n.ID, now):
			h.p.running.Go(func() { h.tell(ctx, n.ID, now) })
		}
	}
}

// forget has a node that went away told everything when it comes back.
func (h *announcer) forget(n NodeID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.told, n)
}

// begin reports whether to tell a node now.
func (h *announcer) begin(n NodeID, now report) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	last, told := h.told[n]
	due := !told || last.notAccepting != now.notAccepting || last.bad != now.bad || !maps.Equal(last.leads, now.leads) ||
		now.at.Sub(last.at) > retell
	if h.busy[n] || !due {
		return false
	}
	h.busy[n] = true
	return true
}

func (h *announcer) tell(ctx context.Context, n NodeID, now report) {
	_, err := h.p.call(ctx, n, &Request{Leaders: &Leaders{
		Leaders: h.p.leadersOf(now.leads), NotAccepting: now.notAccepting, BadDisk: now.bad,
		AppendUs: uint32(min(h.p.appendTook.Load()/int64(time.Microsecond), math.MaxUint32)),
	}})
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.busy, n)
	if err == nil { // else the next look tells it
		h.told[n] = now
	}
}

// leads are the terms of the shards that this node leads.
func (p *Placement) leads() map[cluster.ShardID]uint64 {
	m := map[cluster.ShardID]uint64{}
	for id := range cluster.ShardID(p.engine.Count() + 1) {
		if shard, ok := p.engine.Lead(id); ok {
			m[id] = shard.Term()
		}
	}
	return m
}

func (p *Placement) leadersOf(leads map[cluster.ShardID]uint64) (all []*Leader) {
	for id, term := range leads {
		all = append(all, &Leader{Shard: uint32(id), Term: term, Rate: float32(p.rate(id))})
	}
	return all
}
