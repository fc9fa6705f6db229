package core

import "slices"

// silentTicks is after how many ticks without a word from a majority a leader
// stops taking commits and barriers, which could only wait: at ticks of 100 ms
// after half a second. Raft itself lets it lead for an election timeout.
const silentTicks = 5

// hear notes that a voter sent something.
func (c *Core) hear(g *group, id ReplicaID) {
	conf := g.applied.Conf
	if !slices.Contains(conf.GetVoters(), uint64(id)) && !slices.Contains(conf.GetVotersOutgoing(), uint64(id)) {
		return
	}
	if g.heard == nil {
		g.heard = make(map[ReplicaID]uint64)
	}
	g.heard[id] = c.ticks
}

// listen decides whether a leader still hears a majority.
func (c *Core) listen(g *group) {
	if !g.leading {
		g.silent, g.since = false, c.ticks
		return
	}
	conf := g.applied.Conf
	g.silent = c.ticks-g.since > silentTicks &&
		(!c.hears(g, conf.GetVoters()) || !c.hears(g, conf.GetVotersOutgoing()))
}

// hears reports whether a majority of the voters, this one included, has been
// heard of lately.
func (c *Core) hears(g *group, voters []uint64) bool {
	n := 0
	for _, v := range voters {
		at, ok := g.heard[ReplicaID(v)]
		if ReplicaID(v) == g.id || ok && c.ticks-at <= silentTicks {
			n++
		}
	}
	return len(voters) == 0 || n > len(voters)/2
}
