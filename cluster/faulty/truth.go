package faulty

import (
	"sync"
	"time"

	"ssod/cluster"
)

// Options says how a Truth behaves. The zero value injects nothing.
type Options struct {
	// Shards is the number of entity shards; 0 means 4.
	Shards int
	// Clock returns the time; nil means time.Now.
	Clock func() time.Time
	// Confirmed returns the confirmed time; nil means that of a handle's Now.
	Confirmed func() time.Time
	// Commits and Barriers choose faults; nil means none.
	Commits, Barriers Plan
	// Delay is how long the fault Delay takes; 0 means 1 ms.
	Delay time.Duration
}

// Truth is what a cluster has stored and which nodes lead its shards. It is safe for
// concurrent use.
type Truth struct {
	options Options
	slots   *cluster.Slots

	mu       sync.Mutex
	shards   []*shard // by id
	nodes    []*Node
	commits  int
	barriers int
	released chan struct{} // closed by Release

	notifying sync.Mutex
}

// shard is the truth about one shard.
type shard struct {
	id     cluster.ShardID
	state  *state
	term   uint64
	leader *Node // nil: none
}

// New returns a cluster without nodes.
func New(o Options) *Truth {
	if o.Shards == 0 {
		o.Shards = 4
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Delay == 0 {
		o.Delay = time.Millisecond
	}
	if o.Commits == nil {
		o.Commits = Always(None)
	}
	if o.Barriers == nil {
		o.Barriers = Always(None)
	}
	t := &Truth{options: o, slots: cluster.DivideSlots(o.Shards), released: make(chan struct{})}
	for id := range o.Shards + 1 {
		t.shards = append(t.shards, &shard{id: cluster.ShardID(id), state: newState()})
	}
	return t
}

// Slots says which shard a hash slot belongs to, as in a cluster that was just founded.
func (t *Truth) Slots() *cluster.Slots { return t.slots }

// Node adds a node. The first one leads every shard in term 1.
func (t *Truth) Node(address string) *Node {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := &Node{truth: t, address: address, handles: make([]*handle, len(t.shards)), watchers: map[int]func(cluster.ShardID){}}
	t.nodes = append(t.nodes, n)
	if len(t.nodes) == 1 {
		for _, s := range t.shards {
			t.elect(s, n)
		}
	}
	return n
}

// elect begins a new term; t.mu is held. Handles of earlier terms stay as they
// are.
func (t *Truth) elect(s *shard, n *Node) {
	s.leader = n
	if n == nil {
		return
	}
	s.term++
	n.handles[s.id] = &handle{shard: s, node: n, term: s.term, lost: make(chan struct{})}
}

// depose tells all nodes but keep that they do not lead s; t.mu is held.
func (s *shard) depose(nodes []*Node, keep *Node) {
	for _, n := range nodes {
		if h := n.handles[s.id]; h != nil && n != keep {
			n.handles[s.id] = nil
			h.end()
		}
	}
}

// Move ends the term of a shard's leader, which knows it at once, and makes
// another node lead; nil means that none does.
func (t *Truth) Move(id cluster.ShardID, to *Node) {
	t.mu.Lock()
	s := t.shards[id]
	s.depose(t.nodes, nil)
	t.elect(s, to)
	t.mu.Unlock()
	t.notify(id)
}

// Flap ends the term of a shard's leader, which leads again in the next.
func (t *Truth) Flap(id cluster.ShardID) {
	t.mu.Lock()
	t.flap(t.shards[id])
	t.mu.Unlock()
	t.notify(id)
}

func (t *Truth) flap(s *shard) {
	leader := s.leader
	s.depose(t.nodes, nil)
	t.elect(s, leader)
}

// Usurp makes another node lead a shard while its leader does not know: until
// Notice there are two owners.
func (t *Truth) Usurp(id cluster.ShardID, to *Node) {
	t.mu.Lock()
	s := t.shards[id]
	if s.leader != nil && s.leader != to {
		s.leader.handles[id].old = s.state.clone()
	}
	if h := to.handles[id]; h != nil { // it led before, perhaps without knowing the end of it
		to.handles[id] = nil
		h.end()
	}
	t.elect(s, to)
	t.mu.Unlock()
	t.notify(id)
}

// Notice tells owners that were usurped that they lead no more.
func (t *Truth) Notice(id cluster.ShardID) {
	t.mu.Lock()
	s := t.shards[id]
	s.depose(t.nodes, s.leader)
	t.mu.Unlock()
	t.notify(id)
}

// Release lets everything go on that is held, now and later.
func (t *Truth) Release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-t.released:
	default:
		close(t.released)
	}
}

// notify calls the watchers of all nodes, one at a time.
func (t *Truth) notify(id cluster.ShardID) {
	t.notifying.Lock()
	defer t.notifying.Unlock()
	t.mu.Lock()
	var fs []func(cluster.ShardID)
	for _, n := range t.nodes {
		for _, f := range n.watchers {
			fs = append(fs, f)
		}
	}
	t.mu.Unlock()
	for _, f := range fs {
		f(id)
	}
}

// nextCommit chooses the fault of a commit; t.mu is held.
func (t *Truth) nextCommit(id cluster.ShardID, c *cluster.Commit) Fault {
	op := Op{N: t.commits, Shard: id, Commit: c}
	t.commits++
	return t.options.Commits(op)
}

// nextBarrier chooses the fault of a barrier; t.mu is held.
func (t *Truth) nextBarrier(id cluster.ShardID) Fault {
	op := Op{N: t.barriers, Shard: id}
	t.barriers++
	return t.options.Barriers(op)
}
