package placement

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ssod/cluster"
	"ssod/cluster/replica"
)

// View is a node's view of all shards, as its replicas know them or their leaders announce
// them. It implements [cluster.Shards].
type View struct {
	engine   *replica.Engine
	registry *Registry
	slots    atomic.Pointer[cluster.Slots]

	mu           sync.Mutex
	told         []announced // by shard
	notAccepting map[NodeID]time.Time
	// badDisks is when nodes said that their disks are bad.
	badDisks map[NodeID]time.Time
	appends  map[NodeID]appendSaid
	rates    []rateSaid // by shard

	watchers cluster.Watchers[cluster.ShardID]
	calling  sync.Mutex // one watcher is called at a time
}

// announced is a leader that announced itself.
type announced struct {
	node NodeID
	term uint64
}

func newView(e *replica.Engine, b *Registry) *View {
	return &View{
		engine: e, registry: b, told: make([]announced, e.Count()+1), rates: make([]rateSaid, e.Count()+1), notAccepting: map[NodeID]time.Time{}, badDisks: map[NodeID]time.Time{},
		appends: map[NodeID]appendSaid{},
	}
}

// follow passes on changes that the engine sees.
func (v *View) follow() (stop func()) { return v.engine.Watch(v.notify) }

// Count implements [cluster.Shards].
func (v *View) Count() int { return v.engine.Count() }

// Slots is the division of the hash slots; nil as long as this node does not know it.
func (v *View) Slots() *cluster.Slots { return v.slots.Load() }

// Lead implements [cluster.Shards].
func (v *View) Lead(id cluster.ShardID) (cluster.Shard, bool) { return v.engine.Lead(id) }

// Vouch is [replica.Engine.Vouch].
func (v *View) Vouch(id cluster.ShardID) (cluster.Voucher, bool) { return v.engine.Vouch(id) }

// Owner implements [cluster.Shards]. An announcement counts if it is newer than what the
// replica here knows.
func (v *View) Owner(id cluster.ShardID) (cluster.Owner, bool) {
	if int(id) > v.Count() {
		return cluster.Owner{}, false
	}
	known := v.engine.Leadership(id)
	v.mu.Lock()
	told := v.told[id]
	v.mu.Unlock()
	leader, term := known.Leader.Node(), known.Term
	if told.term > term || leader == 0 && told.term == term {
		leader, term = told.node, told.term
	}
	if leader == 0 {
		return cluster.Owner{}, false
	}
	address := v.registry.RPC(leader)
	return cluster.Owner{Address: address, Term: term}, address != ""
}

// Watch implements [cluster.Shards].
func (v *View) Watch(f func(cluster.ShardID)) (stop func()) { return v.watchers.Add(f) }

func (v *View) notify(id cluster.ShardID) {
	v.calling.Lock()
	defer v.calling.Unlock()
	v.watchers.Call(id)
}

// hear takes an announcement.
func (v *View) hear(from NodeID, m *Leaders) {
	var changed []cluster.ShardID
	v.mu.Lock()
	note(v.notAccepting, from, m.GetNotAccepting())
	note(v.badDisks, from, m.GetBadDisk())
	v.appends[from] = appendSaid{time.Duration(m.GetAppendUs()) * time.Microsecond, time.Now()}
	for _, l := range m.GetLeaders() {
		id := cluster.ShardID(l.GetShard())
		if l.GetShard() < uint32(len(v.rates)) {
			v.rates[id] = rateSaid{from, float64(l.GetRate()), time.Now()}
		}
		if l.GetShard() < uint32(len(v.told)) && l.GetTerm() > v.told[id].term {
			v.told[id] = announced{from, l.GetTerm()}
			changed = append(changed, id)
		}
	}
	v.mu.Unlock()
	for _, id := range slices.Compact(changed) {
		v.notify(id)
	}
}

// rateSaid is the load of a shard as its leader announced it, and when.
type rateSaid struct {
	node NodeID
	rate float64
	at   time.Time
}

// rateOf is the load of a shard in requests per second as its leader announced it lately.
func (v *View) rateOf(id cluster.ShardID, leader NodeID) (rate float64, known bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	said := v.rates[id]
	return said.rate, said.node == leader && time.Since(said.at) <= toldFor
}

// note notes what a node announces of itself, and when.
func note(said map[NodeID]time.Time, of NodeID, is bool) {
	delete(said, of)
	if is {
		said[of] = time.Now()
	}
}

// notAcceptingFor is how long an announcement to accept no leads counts.
const notAcceptingFor = time.Minute

// willing reports whether a node takes leads, as far as it said.
func (v *View) willing(n NodeID) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	at, ok := v.notAccepting[n]
	return !ok || time.Since(at) > notAcceptingFor
}
