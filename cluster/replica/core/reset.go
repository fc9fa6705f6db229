package core

// Reset asks for a shard's time to be set back to what the clocks say.
type Reset struct {
	Shard ShardID
	// Done is called once, by whoever has the core: nil when the shard time is
	// not ahead of the clocks (any more), else [ErrRefused] or [ErrUnknown].
	Done func(error)
}

// Reset proposes an entry that sets the shard time to this node's clock, if that
// is what a majority's allow and the shard is ahead of it. What waits in the queue
// was decided by the time that is to go: it is refused, and so is everything until
// the entry is applied. Then the leadership begins anew, in the same term and
// another era, so that nothing goes on that was in memory before.
func (c *Core) Reset(r *Reset) {
	g, now := c.groups[r.Shard], uint64(c.cfg.Now().UnixMilli())
	if g == nil || !g.open || g.silent > 0 || g.resetting || g.handsOver() {
		r.Done(ErrRefused)
		return
	}
	ms, known := c.bound(g)
	switch {
	case !known || now > ms:
		r.Done(ErrRefused)
	case now >= g.newest && now >= g.applied.Time:
		r.Done(nil)
	case g.raft().Propose(packReset(g.term, now)) != nil:
		r.Done(ErrRefused)
	default:
		g.resetting = true
		g.commits.inflight = append(g.commits.inflight, []*Proposal{{Shard: r.Shard, Term: g.term, Done: r.Done}})
		g.commits.refuse()
	}
	c.mark(g)
}

// outdated reports whether a commit was decided by a time that is, or is about to
// be, set back.
func (c *Core) outdated(g *group, p *Proposal) bool {
	return g.resetting || p.Era != g.era
}

// resetDone takes note that the shard time was set back.
func (c *Core) resetDone(g *group) {
	g.resetting = false
	g.newest = g.applied.Time
	g.era++
	c.changed(g)
}
