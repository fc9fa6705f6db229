package core

// Reset asks for a shard's time to be set back to what the clocks say.
type Reset struct {
	Shard ShardID
	// Done is called once, by the core's goroutine: nil when the shard time is not, or
	// no longer, ahead of the clocks, else [ErrRefused] or [ErrUnknown].
	Done func(error)
}

// Reset proposes an entry that sets the shard time to this node's clock, if a majority's
// clocks allow that and the shard is ahead of it. Queued commits were decided by the old
// time and are refused, and so are all others until the entry is applied. Then a new era
// begins in the same term, so that nothing decided in memory before goes on.
func (c *Core) Reset(r *Reset) {
	g, now := c.groups[r.Shard], uint64(c.cfg.Now().UnixMilli())
	if g == nil || !g.open || g.noQuorum > 0 || g.resetting || g.transferring() {
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

// outdated reports whether a commit was decided by a time that is, or is about to be,
// set back.
func (c *Core) outdated(g *group, p *Proposal) bool {
	return g.resetting || p.Era != g.era
}

// resetDone notes that the shard time was set back.
func (c *Core) resetDone(g *group) {
	g.resetting = false
	g.newest = g.applied.Time
	g.era++
	c.changed(g)
}
