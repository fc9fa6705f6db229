package sim

import (
	"errors"
	"slices"
	"time"

	"ssod/cluster/plan"
	"ssod/cluster/replica/core"
	"ssod/cluster/replica/internal/planted"
	"ssod/persistence"
)

// request asks the leader of the meta shard to give a name to a process, or to
// give the node that has it up.
type request struct {
	name  string
	token int // of the process
	zone  string
	joins bool // else the node is only given up,
	// drains: or drained, or taken back.
	drains, back bool
	// answer is called with the id that the process has.
	answer func(core.NodeID)
}

// surveyFor is how long answers are waited for.
const surveyFor = time.Second

// decide takes a request up when a majority has confirmed that the node leads the
// meta shard.
func (n *node) decide(o *owner, q request) {
	n.core.Barrier(&core.Barrier{Shard: meta, Term: o.term, Done: func(err error) {
		switch {
		case err != nil || o.over:
		case q.drains:
			n.drain(o, q, n.registry())
		default:
			n.weigh(o, q, n.registry())
		}
	}})
}

// weigh decides about a request, or asks the others first if it must.
func (n *node) weigh(o *owner, q request, r registry) {
	old, taken := r.bearer(q.name)
	switch m := r.Nodes[old]; {
	case r.rev == 0 || !taken && !q.joins:
	case !taken:
		id := r.add(q.name, q.zone, q.token)
		o.decree(r, q.answerWith(id))
	case q.joins && m.Applicant == q.token:
		q.answer(old) // it has missed the answer
	case n.judgesOnce() && m.Claimant == q.token:
		n.giveUp(o, q, r, old, n.w.now)
	case n.alive(old):
		n.w.objections++
	default:
		at := n.w.now
		n.survey(old, func(said map[core.NodeID]testimony) {
			if err := n.object(&r, old, said); err != nil {
				n.w.objections++
				return
			}
			n.giveUp(o, q, r, old, at)
		})
	}
}

func (n *node) judgesOnce() bool { return n.w.opts.Planted.Has(planted.JudgedOnce) }

func (q request) answerWith(id core.NodeID) func(error) {
	return func(err error) {
		if err == nil && q.joins {
			q.answer(id)
		}
	}
}

// giveUp gives a node up in two steps: the first registers the claimant, the second is
// taken when it asks again in the same term. The request was taken up at a time.
func (n *node) giveUp(o *owner, q request, r registry, old core.NodeID, at instant) {
	m := r.Nodes[old]
	if m.Claimant != q.token || m.ClaimTerm != o.term && !n.judgesOnce() {
		m.Claimant, m.ClaimTerm = q.token, o.term
		r.Nodes[old] = m
		o.decree(r, func(error) {})
		return
	}
	n.w.checkGivenUp(n, old, at)
	m.Removed, m.Claimant, m.ClaimTerm = true, 0, 0
	r.Nodes[old] = m
	id := core.NodeID(0)
	if q.joins {
		id = r.add(q.name, q.zone, q.token)
	}
	o.decree(r, q.answerWith(id))
}

// checkGivenUp: no node gives up one that it heard when it was asked to, and still hears,
// or that most voters of the meta shard had heard shortly before.
func (w *world) checkGivenUp(n *node, old core.NodeID, at instant) {
	if s := n.steward.heard[old]; n.alive(old) && s.began < at {
		w.violate("node %d gives up node %d, which it has heard since %v", n.id, old, s.began)
	}
	voters := w.latest[meta].Conf.GetVoters()
	heard := slices.DeleteFunc(slices.Clone(voters), func(v uint64) bool {
		m := w.nodes[core.ReplicaID(v).Node()]
		if m.id == old || m.core == nil {
			return true
		}
		s := m.steward.heard[old]
		return s.last <= max(0, at-silentFor+2*surveyFor) || s.began >= at // it has come back since
	})
	if len(heard) > len(voters)/2 {
		w.violate("node %d gives up node %d, which %d of %d voters of the meta shard have heard", n.id, old, len(heard), len(voters))
	}
}

// testimony is what a node knows of another one.
type testimony struct {
	silence time.Duration
	groups  []groupState
}

// groupState is what the leader of a group sees of it.
type groupState struct {
	shard     core.ShardID
	term      uint64
	present   []core.ReplicaID
	confirmed bool
}

// testify is what this node knows of another one.
func (n *node) testify(of core.NodeID) (t testimony) {
	t.silence = n.silence(of)
	r := n.registry()
	for _, s := range n.w.shards {
		st, ok := n.core.Status(s)
		known := r.Groups[s]
		if n.owners[s] == nil || !ok || !st.Open || known.Known() && !known.Votes(of) {
			continue
		}
		g, now := n.group(st, &r), configOf(st)
		g.Voters = append(g.Voters, now.Outgoing...)
		t.groups = append(t.groups, groupState{s, st.Term, g.Present(), now.SameVoters(known)})
	}
	return t
}

// survey asks all nodes that are there what they know of another one.
func (n *node) survey(of core.NodeID, done func(map[core.NodeID]testimony)) {
	said, r, asked, over := map[core.NodeID]testimony{}, n.registry(), 1, false
	judge := func() {
		if !over {
			over = true
			done(said)
		}
	}
	said[n.id] = n.testify(of)
	for _, id := range n.w.ids {
		if _, known := r.Nodes[id]; id == n.id || id == of || !known || r.removed(id) || !n.alive(id) {
			continue
		}
		asked++
		n.w.network.carry(n.id, id, func(m *node) {
			t := m.testify(of)
			n.w.network.carry(id, n.id, func(*node) {
				if said[id] = t; len(said) == asked {
					judge()
				}
			})
		})
	}
	n.after(surveyFor, func() { n.input(func(*core.Core) { judge() }) })
}

// Errors that speak against giving a node up, beside a [plan.Shortage].
var (
	errFewWitnesses = errors.New("too few voters of the meta shard have spoken")
	errHeard        = errors.New("a member has heard the node")
)

// object finds what speaks against giving a node up.
func (n *node) object(r *registry, old core.NodeID, said map[core.NodeID]testimony) error {
	if !r.Groups[meta].Majority(func(id core.ReplicaID) bool { _, ok := said[id.Node()]; return ok }) {
		return errFewWitnesses
	}
	for _, t := range said {
		if t.silence < silentFor {
			return errHeard
		}
	}
	if n.w.opts.Planted.Has(planted.DesiredForConfirmed) {
		return n.bearsByMap(r, old)
	}
	return n.bearsLoss(r, old, said)
}

// bearsLoss judges whether all groups, as they were confirmed, can bear the loss
// of a node.
func (n *node) bearsLoss(r *registry, old core.NodeID, said map[core.NodeID]testimony) error {
	groups, present := make([]plan.Config, len(r.Groups)), map[replicaKey]bool{}
	newest := make([]groupState, len(r.Groups))
	for _, t := range said {
		for _, g := range t.groups {
			if g.term > newest[g.shard].term {
				newest[g.shard] = g
			}
		}
	}
	for s, g := range newest {
		if g.term == 0 || g.confirmed && g.term >= r.Groups[s].Term {
			groups[s] = r.Groups[s]
		}
		for _, id := range g.present {
			present[replicaKey{core.ShardID(s), id}] = n.alive(id.Node())
		}
	}
	return plan.MayLose(groups, old, plan.Outlook{
		Live: func(s int, id core.ReplicaID) bool { return present[replicaKey{core.ShardID(s), id}] },
		Gone: r.removed,
	})
}

// bearsByMap is the mistake: it takes the map for what is.
func (n *node) bearsByMap(r *registry, old core.NodeID) error {
	var groups []plan.Config
	for _, a := range r.Map {
		c := plan.Config{Term: 1}
		for _, id := range a.Voters {
			c.Voters = append(c.Voters, persistence.NewReplicaID(id, 1))
		}
		groups = append(groups, c)
	}
	return plan.MayLose(groups, old, plan.Outlook{
		Live: func(_ int, id core.ReplicaID) bool { return n.alive(id.Node()) }, Gone: r.removed,
	})
}
