package plan

import "fmt"

// Outlook is what is known of the replicas when a node is to be given up.
type Outlook struct {
	// Live reports whether a replica of a shard is live.
	Live func(shard int, r ReplicaID) bool
	// Gone reports whether a node was removed.
	Gone func(NodeID) bool
}

// Shortage is why a node may not be given up: a group needs it.
type Shortage struct {
	// Shard is the first group that needs the node, Shards how many do.
	Shard, Shards int
	// Unknown: the group is not registered yet.
	Unknown bool
	// Left is how many of the Of voters of a set would be live without the node.
	Left, Of int
	// Sole: the node is the only voter.
	Sole bool
	// Forever: without the node there is no majority even when all others are back.
	Forever bool
}

func (s *Shortage) Error() string {
	more := ""
	if s.Shards > 1 {
		more = fmt.Sprintf(" and %d more", s.Shards-1)
	}
	switch {
	case s.Unknown:
		return fmt.Sprintf("shard %d%s: its voters are not confirmed yet", s.Shard, more)
	case s.Sole:
		return fmt.Sprintf("shard %d%s: only this node has it", s.Shard, more)
	}
	return fmt.Sprintf("shard %d%s: without this node %d of %d voters are there, which is no majority", s.Shard, more, s.Left, s.Of)
}

// MayLose returns nil when every group keeps a live majority, in each set of voters that may
// be in force, without a node; else the gravest [*Shortage]. Groups in which the node has no
// vote do not count; unknown ones do.
func MayLose(groups []Config, n NodeID, o Outlook) error {
	var worst *Shortage
	for shard, c := range groups {
		s := c.shortage(shard, n, o)
		switch {
		case s == nil:
		case worst == nil:
			worst = s
		case s.Forever && !worst.Forever:
			s.Shards = worst.Shards + 1
			worst = s
		default:
			worst.Shards++
		}
	}
	if worst == nil {
		return nil
	}
	return worst
}

// shortage is what a group lacks without a node; nil: nothing.
func (c Config) shortage(shard int, n NodeID, o Outlook) *Shortage {
	if !c.Known() {
		return &Shortage{Shard: shard, Shards: 1, Unknown: true}
	}
	if !c.Votes(n) {
		return nil
	}
	var found *Shortage
	for i, s := range c.sets() {
		left := count(s, func(r ReplicaID) bool { return r.Node() != n && o.Live(shard, r) })
		if left >= majority(s) {
			continue
		}
		ever := count(s, func(r ReplicaID) bool { return r.Node() != n && !o.Gone(r.Node()) })
		forever := ever < majority(s) && i < len(c.inForce())
		if found == nil || forever && !found.Forever {
			found = &Shortage{Shard: shard, Shards: 1, Left: left, Of: len(s), Sole: len(s) == count(s, of(n)), Forever: forever}
		}
	}
	return found
}

// Spare is how many more nodes may be lost, whichever they are, before some group has no
// majority; below 0 one has none now. Unknown groups have nothing to spare.
func Spare(groups []Config, live func(shard int, r ReplicaID) bool) int {
	spare := -1
	for shard, c := range groups {
		one := 0
		if c.Known() {
			one = c.Spare(func(r ReplicaID) bool { return live(shard, r) })
		}
		if shard == 0 || one < spare {
			spare = one
		}
	}
	return spare
}
