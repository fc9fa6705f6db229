package sim

import (
	"fmt"
	"slices"
	"time"

	"ssod/cluster/replica/core"
	"ssod/cluster/replica/model"
)

// estate is what operators look after, in a hurry: they start nodes on empty
// disks while others are missing, next to paused ones of the same name, and give up
// half-way. What the cluster grants must leave every shard a majority; what it refuses
// must have no effect.
type estate struct {
	w        *world
	machines []*machine
	tokens   int
	removals int // under way
}

// machine has a name, and the disk of the member that it was last.
type machine struct {
	name   string
	zone   string
	node   *node // nil: it was none yet
	wiped  bool  // its disk is gone
	seeker *seeker
}

// seeker is a process on an empty disk that asks to become a member.
type seeker struct {
	*machine
	token int
	over  bool // it has ended, or is a member
}

// askPace is about how often a seeker asks.
const askPace = 500 * time.Millisecond

// beginJoins makes a cluster of three nodes or four, or of one and of machines
// that are to join it.
func (w *world) beginJoins() {
	w.estate = &estate{w: w}
	w.drawLimits()
	// The registry is one entry.
	w.limits.MaxEntry, w.limits.MaxQueue, w.limits.MaxUncommitted = 1<<20, 1<<20, 1<<20
	w.grows = w.chance(0.4)
	machines := 3
	if w.chance(0.3) {
		machines = 4
	}
	for i := range machines {
		m := &machine{name: fmt.Sprint("n", i+1)}
		w.estate.machines = append(w.estate.machines, m)
		if i == 0 || !w.grows {
			m.node = w.newNode(core.NodeID(i + 1))
		}
	}
	for s := range 3 + w.rand.IntN(3) {
		w.found(core.ShardID(s))
	}
	for _, m := range w.estate.machines {
		if m.node != nil {
			m.node.start()
		} else {
			w.estate.seek(m)
		}
	}
	w.employ(3)
	w.faulty = true
	w.leaps = false
	w.watchClocks()
	w.drawNetwork()
	w.schedule([]fault{
		{5 * time.Second, w.crashNode},
		{6 * time.Second, w.cutNode},
		{6 * time.Second, w.pauseNode},
		{8 * time.Second, w.slowDisk},
		{15 * time.Second, w.crashAll},
	})
	w.after(w.between(0, 3*time.Second), w.estate.hurry)
	if w.grows && w.chance(0.5) {
		w.estate.betray()
	}
}

// betray takes the founder's disk away as soon as the meta shard can do without it
// and another shard, which is to have three voters by the map, still has it alone.
func (e *estate) betray() {
	lone := func(s core.ShardID) bool {
		return len(e.w.latest[s].Conf.GetVoters()) == 1 && len(e.w.latest[s].Conf.GetVotersOutgoing()) == 0
	}
	switch whole := e.w.latest[meta].Conf; {
	case !e.w.faulty:
		return
	case len(whole.GetVoters()) >= 3 && slices.ContainsFunc(e.w.shards, lone):
		e.unmount(e.machines[0])
		return
	}
	e.w.after(20*time.Millisecond, e.betray)
}

func (w *world) newNode(id core.NodeID) *node {
	n := &node{w: w, id: id, store: model.New(w.opts.Planted), slow: 1}
	w.ids, w.nodes[id] = append(w.ids, id), n
	return n
}

// hurry lets an operator do something, again and again.
func (e *estate) hurry() {
	if !e.w.faulty {
		return
	}
	m := e.machines[e.w.rand.IntN(len(e.machines))]
	[]func(*machine){e.unmount, e.unmount, e.double, e.wipe, e.remove}[e.w.rand.IntN(5)](m)
	e.w.after(e.w.between(200*time.Millisecond, 4*time.Second), e.hurry)
}

// unmount starts a machine without its disk, which comes back some day.
func (e *estate) unmount(m *machine) {
	n := m.node
	if n == nil || n.away || m.seeker != nil {
		return
	}
	n.crash()
	n.away = true
	s := e.seek(m)
	e.w.later(15*time.Second, func() {
		if e.dismiss(s) {
			n.away = false
			n.revive()
		}
	})
}

// double starts another process with a machine's name, while that is paused or
// not.
func (e *estate) double(m *machine) {
	if m.node == nil || m.node.away || m.seeker != nil {
		return
	}
	if e.w.chance(0.8) {
		m.node.paused = e.w.now + e.w.between(100*time.Millisecond, 9*time.Second)
	}
	s := e.seek(m)
	e.w.later(12*time.Second, func() { e.dismiss(s) })
}

// wipe loses a machine's disk for good, if the cluster is whole: when more are lost nothing
// is promised.
func (e *estate) wipe(m *machine) {
	if e.removals > 0 || e.whole() != "" {
		return
	}
	for _, s := range e.w.shards {
		if !e.w.bears(s) {
			return
		}
	}
	m.node.crash()
	m.node.away, m.wiped = true, true
	e.forget(m.node)
	e.seek(m)
}

// forget notes that the replicas of a node are gone.
func (e *estate) forget(n *node) {
	rs, _ := n.store.Replicas()
	for _, r := range rs {
		e.w.lost[replicaKey{r.Shard, r.ID}] = true
	}
}

// remove asks a few times to give a machine up.
func (e *estate) remove(m *machine) {
	e.tokens++
	q := request{name: m.name, token: e.tokens}
	e.removals++
	for i := range 4 {
		e.w.after(time.Duration(i)*askPace, func() { e.ask(q) })
	}
	e.w.after(10*time.Second, func() { e.removals-- }) // what is to come of it has come
}

// seek starts a process that asks to become a member.
func (e *estate) seek(m *machine) *seeker {
	e.tokens++
	s := &seeker{machine: m, token: e.tokens}
	m.seeker = s
	e.w.after(e.w.between(0, askPace), func() { e.knock(s) })
	return s
}

// dismiss ends a process that is no member yet.
func (e *estate) dismiss(s *seeker) bool {
	if s.over {
		return false
	}
	s.over, s.seeker = true, nil
	return true
}

// knock asks until it is over.
func (e *estate) knock(s *seeker) {
	if s.over {
		return
	}
	e.ask(request{name: s.name, zone: s.zone, token: s.token, joins: true, answer: func(id core.NodeID) {
		if !e.w.chance(e.w.network.loss) {
			e.w.after(e.w.network.delay(), func() { e.admit(s, id) })
		}
	}})
	e.w.after(e.w.between(askPace/2, 2*askPace), func() { e.knock(s) })
}

// ask asks some member.
func (e *estate) ask(q request) {
	to := e.w.ids[e.w.rand.IntN(len(e.w.ids))]
	e.w.network.carry(0, to, func(m *node) { m.toMeta(func(n *node, o *owner) { n.decide(o, q) }) })
}

// admit makes a process the member that it was taken in as.
func (e *estate) admit(s *seeker, id core.NodeID) {
	if s.over {
		return
	}
	s.over, s.seeker, s.wiped = true, nil, false
	if s.node != nil {
		s.node.away = true
		s.node.crash()
	}
	s.node = e.w.newNode(id)
	s.node.start()
	e.w.joined++
	if e.w.faulty && e.w.chance(0.6) {
		e.w.slowDisk(s.node) // it takes long to catch up
	}
}

// expel ends a node that was removed. Its machine joins again.
func (e *estate) expel(n *node) {
	n.crash()
	n.away = true
	e.forget(n)
	for _, m := range e.machines {
		if m.node == n && m.seeker == nil {
			e.seek(m)
		}
	}
}

// mend lets operators put back what there is, and be patient.
func (e *estate) mend() {
	r := e.w.registry()
	for _, m := range e.machines {
		if m.node == nil || m.wiped || r.removed(m.node.id) {
			if m.seeker == nil {
				e.seek(m)
			}
			continue
		}
		if m.seeker != nil {
			e.dismiss(m.seeker)
		}
		m.node.away = false
		m.node.revive()
	}
}

// whole returns "" when every machine is a member that runs, and those vote in
// every shard that should, else what is missing.
func (e *estate) whole() string {
	for _, m := range e.machines {
		switch {
		case m.node == nil || m.seeker != nil:
			return fmt.Sprintf("%s is no member", m.name)
		case m.node.core == nil:
			return fmt.Sprintf("%s is down", m.name)
		}
	}
	r := e.w.registry()
	for _, m := range e.machines {
		if id, _ := r.bearer(m.name); m.node.id != id {
			return fmt.Sprintf("%s is node %d, but the registry says %d", m.name, m.node.id, id)
		}
	}
	for _, s := range e.w.shards {
		conf := e.w.latest[s].Conf
		if len(r.Map) <= int(s) || len(conf.GetVotersOutgoing()) > 0 || !slices.Equal(nodesOf(conf.GetVoters()), r.Map[s].Voters) {
			return fmt.Sprintf("nodes %v vote in shard %d", nodesOf(conf.GetVoters()), s)
		}
	}
	return ""
}

// nodesOf are the nodes of replicas, in order.
func nodesOf(ids []uint64) (nodes []core.NodeID) {
	for _, id := range ids {
		nodes = append(nodes, core.ReplicaID(id).Node())
	}
	slices.Sort(nodes)
	return nodes
}
