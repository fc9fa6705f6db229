package sim

import (
	"slices"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/plan"
	"ssod/cluster/replica/core"
)

const (
	pingPace    = 250 * time.Millisecond
	stewardPace = 200 * time.Millisecond
	// aliveWithin is how recently a node was heard of that counts as alive,
	// silentFor is how long a node that is given up must have been silent.
	aliveWithin = time.Second
	silentFor   = 5 * time.Second
	// handOverPause is between two attempts to pass a lead on.
	handOverPause = 3 * time.Second
)

// steward is what a process knows and does about the placement of shards: whom it
// hears, and what it has begun with the groups that it leads.
type steward struct {
	since    instant // it listens
	heard    map[core.NodeID]streak
	known    map[core.ShardID]map[core.NodeID]core.ReplicaID
	proposed map[core.ShardID]proposed
	handed   map[core.ShardID]instant
}

// streak is since when another node is heard without a gap, and when it was heard
// last.
type streak struct{ began, last instant }

// proposed are the sets of voters that were proposed in a term.
type proposed struct {
	term uint64
	sets [][]core.ReplicaID
}

// engage begins to listen and to look after groups.
func (n *node) engage() {
	n.steward = &steward{
		since: n.w.now, heard: map[core.NodeID]streak{}, known: map[core.ShardID]map[core.NodeID]core.ReplicaID{},
		proposed: map[core.ShardID]proposed{}, handed: map[core.ShardID]instant{},
	}
	n.after(n.w.between(0, pingPace), n.ping)
	n.after(n.w.between(0, stewardPace), n.attend)
}

// ping makes others hear the node.
func (n *node) ping() {
	n.after(pingPace, n.ping)
	if n.paused > n.w.now {
		return
	}
	for _, id := range n.w.ids {
		if id != n.id {
			n.w.network.carry(n.id, id, func(to *node) { to.hear(n) })
		}
	}
}

// hear notes that another node is there. One that was removed is told so.
func (n *node) hear(from *node) {
	if r := n.registry(); r.removed(from.id) {
		n.w.network.carry(n.id, from.id, func(m *node) { n.w.after(0, func() { n.w.estate.expel(m) }) })
		return
	}
	s := n.steward.heard[from.id]
	if n.w.now-s.last > aliveWithin {
		s.began = n.w.now
	}
	s.last = n.w.now
	n.steward.heard[from.id] = s
}

// alive reports whether the node has heard another one lately.
func (n *node) alive(id core.NodeID) bool {
	s, ok := n.steward.heard[id]
	return id == n.id || ok && n.w.now-s.last < aliveWithin
}

// silence is how long the node has listened without hearing another one.
func (n *node) silence(id core.NodeID) time.Duration {
	if id == n.id {
		return 0
	}
	return n.w.now - max(n.steward.since, n.steward.heard[id].last, min(n.paused, n.w.now))
}

// attend looks after the groups that the node leads, again and again.
func (n *node) attend() {
	n.after(stewardPace, n.attend)
	n.input(func(c *core.Core) {
		r, records := n.registry(), map[core.ShardID]plan.Config{}
		for _, s := range n.w.shards {
			st, ok := c.Status(s)
			if o := n.owners[s]; ok && st.Open && o != nil && st.Term == o.term {
				n.tend(c, st, &r, records)
			}
		}
		if len(records) > 0 {
			n.report(r.rev, records)
		}
		if n.w.opts.Scales {
			n.tidy(&r)
			n.leave(&r)
		}
		if o := n.owners[meta]; o != nil {
			n.govern(o, r)
		}
	})
}

// tend takes a group one step towards its place, when everybody can know what
// that leads to.
func (n *node) tend(c *core.Core, st core.Status, r *registry, records map[core.ShardID]plan.Config) {
	known, now := r.Groups[st.Shard], configOf(st)
	if int(st.Shard) >= len(r.Map) || known.Term > st.Term {
		return
	}
	step := plan.Next(r.Map[st.Shard], n.group(st, r))
	var next []core.ReplicaID
	if step.Kind == plan.Reform {
		if next = plan.After(now.Voters, step.Changes); slices.Equal(next, now.Voters) {
			next = nil
		}
	}
	said := n.confirm(st, known, next, records)
	if next == nil || said && known.Announces(next) {
		n.take(c, st, step, next)
	}
}

// confirm has written down what a group is and comes to, and reports whether it
// is. Voters that are new are written down when a majority has them on disk.
func (n *node) confirm(st core.Status, known plan.Config, next []core.ReplicaID, records map[core.ShardID]plan.Config) bool {
	now := configOf(st)
	if !st.Settled && len(now.Outgoing) == 0 && !now.SameVoters(known) {
		return false
	}
	record := now.Record(known, next, func(s []core.ReplicaID) bool { return n.steward.has(st, s) })
	if !record.Says(known) {
		records[st.Shard] = record
		return false
	}
	return true
}

// take takes the step.
func (n *node) take(c *core.Core, st core.Status, step plan.Step, next []core.ReplicaID) {
	switch step.Kind {
	case plan.Add:
		n.recruit(st, step.Node)
	case plan.Reform:
		n.steward.propose(st, next)
		n.w.change(c, st.Shard, st.Term, singles(step.Changes)...)
	case plan.HandOver:
		if last, ok := n.steward.handed[st.Shard]; !ok || n.w.now-last > handOverPause {
			n.steward.handed[st.Shard] = n.w.now
			c.Transfer(st.Shard, step.To)
		}
	}
}

func singles(changes []plan.Change) (cs []*pb.ConfChangeSingle) {
	types := map[plan.ChangeKind]pb.ConfChangeType{
		plan.Promote: pb.ConfChangeAddNode, plan.Demote: pb.ConfChangeAddLearnerNode, plan.Expel: pb.ConfChangeRemoveNode,
	}
	for _, ch := range changes {
		cs = append(cs, change(types[ch.Kind], uint64(ch.Replica)))
	}
	return cs
}

// recruit lets another node make a replica and makes that a learner.
func (n *node) recruit(st core.Status, on core.NodeID) {
	n.w.network.carry(n.id, on, func(m *node) {
		id := m.prepare(st.Shard)
		n.w.network.carry(on, n.id, func(n *node) {
			if n.steward.known[st.Shard] == nil {
				n.steward.known[st.Shard] = map[core.NodeID]core.ReplicaID{}
			}
			n.steward.known[st.Shard][on] = id
			now, ok := n.core.Status(st.Shard)
			if ok && now.Term == st.Term && now.Applied.Conf.Equivalent(st.Applied.Conf) == nil {
				n.w.change(n.core, st.Shard, st.Term, change(pb.ConfChangeAddLearnerNode, uint64(id)))
			}
		})
	})
}

// prepare makes a replica of a shard, unless there is one.
func (n *node) prepare(s core.ShardID) core.ReplicaID {
	if st, ok := n.core.Status(s); ok {
		return st.ID
	}
	r, err := n.store.Create(s, n.w.nextID(s, n.id), nil)
	n.must(err)
	n.must(n.core.Add(r))
	n.kick()
	return r.ID
}

// report registers the voters of some groups, if nothing has changed since.
func (n *node) report(rev uint64, records map[core.ShardID]plan.Config) {
	n.toMeta(func(m *node, o *owner) {
		r := m.registry()
		if r.rev != rev {
			return
		}
		for s, c := range records {
			r.Groups[s] = c
		}
		o.decree(r, func(error) {})
	})
}

// toMeta lets the leader of the meta shard do something.
func (n *node) toMeta(do func(*node, *owner)) {
	if leader, _ := n.w.newestOwner(meta); leader != nil {
		n.w.network.carry(n.id, leader.id, func(m *node) {
			if o := m.owners[meta]; o != nil {
				do(m, o)
			}
		})
	}
}

// group is what a leader knows of its group.
func (n *node) group(st core.Status, r *registry) plan.Group {
	conf := st.Applied.Conf
	return plan.Group{
		Self: st.ID, Voters: replicas(conf.GetVoters()), Learners: replicas(conf.GetLearners()),
		Joint: len(conf.GetVotersOutgoing()) > 0, Behind: st.Behind,
		Alive: func(id core.NodeID) bool { return !r.removed(id) && n.alive(id) }, Known: n.steward.known[st.Shard],
		CanLead: func(id core.ReplicaID) bool { return slices.Contains(st.Successors, id) },
	}
}

// configOf is the configuration that a leader has applied.
func configOf(st core.Status) plan.Config {
	conf := st.Applied.Conf
	c := plan.Config{
		Term: st.Term, Voters: replicas(conf.GetVoters()), Outgoing: replicas(conf.GetVotersOutgoing()),
		Learners: replicas(slices.Concat(conf.GetLearners(), conf.GetLearnersNext())),
	}
	for _, rs := range [][]core.ReplicaID{c.Voters, c.Outgoing, c.Learners} {
		slices.Sort(rs)
	}
	return c
}

func replicas(ids []uint64) (rs []core.ReplicaID) {
	for _, id := range ids {
		rs = append(rs, core.ReplicaID(id))
	}
	return rs
}

func (s *steward) has(st core.Status, voters []core.ReplicaID) bool {
	p := s.proposed[st.Shard]
	return p.term == st.Term && slices.ContainsFunc(p.sets, func(set []core.ReplicaID) bool { return slices.Equal(set, voters) })
}

// propose notes that a set of voters is about to be proposed.
func (s *steward) propose(st core.Status, next []core.ReplicaID) {
	if next == nil || s.has(st, next) {
		return
	}
	p := s.proposed[st.Shard]
	if p.term != st.Term {
		p = proposed{term: st.Term}
	}
	p.sets = append(p.sets, next)
	p.sets = p.sets[max(0, len(p.sets)-plan.MaxNext):]
	s.proposed[st.Shard] = p
}
