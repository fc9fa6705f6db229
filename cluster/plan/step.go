package plan

import "slices"

// Kind says what a step does.
type Kind int

const (
	// Settled: the group is as assigned.
	Settled Kind = iota
	// Wait: a replica is catching up, or a change is under way.
	Wait
	// Blocked: nothing can be done until a node is back or replaced.
	Blocked
	// Add: node Node gets a replica, as a learner.
	Add
	// Reform: the members change as Changes say, all at once.
	Reform
	// HandOver: replica To gets the lead.
	HandOver
)

// Step is what the leader of a group does next.
type Step struct {
	Kind    Kind
	Node    NodeID
	Changes []Change
	To      ReplicaID
}

// ChangeKind says what becomes of a replica.
type ChangeKind int

const (
	// Promote makes it a voter.
	Promote ChangeKind = iota
	// Demote makes a voter a learner.
	Demote
	// Expel removes it from the group.
	Expel
)

// Change is what becomes of one replica.
type Change struct {
	Kind    ChangeKind
	Replica ReplicaID
}

// Next takes a group one step towards its assignment.
func Next(a Assignment, g Group) Step {
	if g.Joint {
		return Step{Kind: Wait}
	}
	if len(a.Voters) == 0 {
		return Step{Kind: Settled}
	}
	if step, ok := g.add(a); ok {
		return step
	}
	if !g.ready(a) {
		return g.shed(a)
	}
	changes := g.changes(a)
	if leaves(changes, g.Self) {
		return g.leave(a, changes)
	}
	if len(changes) > 0 {
		return g.reform(changes)
	}
	return g.handOver(a)
}

// reform changes the members, unless the future voters lack a live majority: the group would
// stop half-way, or as soon as it has them.
func (g *Group) reform(cs []Change) Step {
	voters := After(g.Voters, cs)
	if !slices.Equal(voters, After(g.Voters, nil)) && count(voters, g.live) < majority(voters) {
		return Step{Kind: Blocked}
	}
	return Step{Kind: Reform, Changes: cs}
}

// After are the voters, in order, when some changes of members have happened.
func After(voters []ReplicaID, cs []Change) []ReplicaID {
	next := slices.Clone(voters)
	for _, c := range cs {
		next = slices.DeleteFunc(next, func(r ReplicaID) bool { return r == c.Replica })
		if c.Kind == Promote {
			next = append(next, c.Replica)
		}
	}
	slices.Sort(next)
	return next
}

// add finds a node that should have a replica and has none. Nodes that are down do not hold
// up the others.
func (g *Group) add(a Assignment) (Step, bool) {
	away := false
	for _, n := range a.Replicas() {
		if g.member(n) != 0 {
			continue
		}
		if g.Alive(n) {
			return Step{Kind: Add, Node: n}, true
		}
		away = away || slices.Contains(a.Voters, n)
	}
	return Step{Kind: Blocked}, away
}

// ready reports whether all future voters are members, and those that get their vote are
// live.
func (g *Group) ready(a Assignment) bool {
	for _, n := range a.Voters {
		r := g.member(n)
		if r == 0 || !g.votes(r) && !g.live(r) {
			return false
		}
	}
	return true
}

// shed waits for replicas to catch up, and expels learners that are not assigned.
func (g *Group) shed(a Assignment) Step {
	var out []Change
	for _, r := range g.Learners {
		if g.obsolete(r) || !a.Has(r.Node()) {
			out = append(out, Change{Expel, r})
		}
	}
	if len(out) > 0 {
		return Step{Kind: Reform, Changes: out}
	}
	for _, n := range a.Voters {
		if r := g.member(n); !g.votes(r) && !g.Alive(n) {
			return Step{Kind: Blocked}
		}
	}
	return Step{Kind: Wait}
}

// changes are the missing changes of members.
func (g *Group) changes(a Assignment) []Change {
	var cs []Change
	for _, r := range g.members() {
		n, votes := r.Node(), g.votes(r)
		switch {
		case g.obsolete(r) || !a.Has(n):
			cs = append(cs, Change{Expel, r})
		case !votes && slices.Contains(a.Voters, n):
			cs = append(cs, Change{Promote, r})
		case votes && slices.Contains(a.Learners, n):
			cs = append(cs, Change{Demote, r})
		}
	}
	return cs
}

// leaves reports whether the changes take the vote of a replica.
func leaves(cs []Change, r ReplicaID) bool {
	return slices.ContainsFunc(cs, func(c Change) bool { return c.Replica == r })
}

// leave gets a leader out of a group. First it promotes the future voters, and then hands
// the lead to one that stays. It waits while the preferred one has yet to learn that it
// votes, because otherwise the lead would move twice.
func (g *Group) leave(a Assignment, cs []Change) Step {
	promote := slices.DeleteFunc(cs, func(c Change) bool { return c.Kind != Promote })
	if len(promote) > 0 {
		return g.reform(promote)
	}
	best := ReplicaID(0)
	for _, n := range a.Voters {
		if g.canLead(n) && (best == 0 || n == a.Preferred) {
			best = g.member(n)
		}
	}
	if best == 0 || best.Node() != a.Preferred && slices.Contains(a.Voters, a.Preferred) && g.mayLead(a.Preferred) {
		return Step{Kind: Wait}
	}
	return Step{Kind: HandOver, To: best}
}

// handOver hands the lead to the preferred voter if that can take it.
func (g *Group) handOver(a Assignment) Step {
	r := g.member(a.Preferred)
	switch {
	case a.Preferred == 0 || r == g.Self:
		return g.settle(a)
	case !g.canLead(a.Preferred):
		return Step{Kind: Blocked}
	}
	return Step{Kind: HandOver, To: r}
}

// settle ends the way unless a node lacks its replica.
func (g *Group) settle(a Assignment) Step {
	for _, n := range a.Replicas() {
		if g.member(n) == 0 {
			return Step{Kind: Blocked}
		}
	}
	return Step{Kind: Settled}
}
