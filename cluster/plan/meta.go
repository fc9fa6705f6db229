package plan

import "slices"

// meta assigns the meta group, of which every node holds a replica.
func (p *planner) meta(a Assignment) Assignment {
	if p.lost(0, a) {
		p.frozen[0] = true
		return p.now[0]
	}
	voters := p.electMeta(a)
	listens := slices.Concat(p.members, p.left)
	listens = slices.DeleteFunc(listens, func(n NodeID) bool { return slices.Contains(voters, n) })
	return Assignment{Voters: slices.Clone(voters), Learners: listens}.normal()
}

// electMeta are the voters of the meta group. Drained nodes do not count, but keep their
// votes until others have them.
func (p *planner) electMeta(a Assignment) []NodeID {
	switch len(p.staying) {
	case 0:
		return a.Voters
	case 2:
		if two := elect(p.staying, a.Voters).Voters; len(two) == 2 || slices.ContainsFunc(two, p.isActive) {
			return two
		}
	}
	voters := a.Voters
	for want := metaQuorum(len(p.staying)); len(voters) != want; {
		if len(voters) > want {
			voters = without(voters, p.worst(voters))
		} else {
			n, ok := p.nextVoter(voters)
			if !ok {
				break
			}
			voters = append(slices.Clone(voters), n)
		}
	}
	return p.preferActive(voters)
}

// metaVoters bounds the voters of the meta group; all other nodes have learners, so that
// each has the map.
//
// Nothing is served for long without the leader of this group, so it must survive more
// losses than the shards: one node of three voters, two of five, three of seven. With fewer
// voters than nodes the wrong nodes may stop the cluster: of seven nodes of which five vote,
// three can, although the other four could serve. More than seven are not worth it: a change
// waits for a majority of the disks, an election asks all, and four nodes that are lost at
// once have something in common, which zones are for.
const metaVoters = 7

// metaQuorum is how many nodes vote: an odd number, 3 of 3 and 4, 5 of 5 and 6, 7 of 7 and
// more.
func metaQuorum(nodes int) int {
	return min(metaVoters, nodes-1+nodes%2)
}

// nextVoter is the next voter of the meta group: an active node, else any.
func (p *planner) nextVoter(voters []NodeID) (NodeID, bool) {
	if n, ok := p.candidate(voters, p.isActive); ok {
		return n, true
	}
	return p.candidate(voters, func(n NodeID) bool { return slices.Contains(p.staying, n) })
}

// preferActive replaces dead and drained voters, and those that share a zone with too many
// others, by active nodes.
func (p *planner) preferActive(voters []NodeID) []NodeID {
	for _, n := range slices.Clone(voters) {
		if p.active[n] {
			continue
		}
		if other, ok := p.replacement(voters, n, p.isActive); ok {
			voters = append(without(voters, n), other)
		}
	}
	if !p.zoned() {
		return voters
	}
	for from, to := p.improve(voters, p.isActive); to != 0; from, to = p.improve(voters, p.isActive) {
		voters = append(without(voters, from), to)
	}
	return voters
}
