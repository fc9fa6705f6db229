package core

import "ssod/cluster/replica/internal/planted"

// mistakeForward is [planted.IgnoreProposerTerm]: what was queued under a term
// that is over is forwarded to the new leader, and acknowledged when it is
// applied.
func (c *Core) mistakeForward(g *group, data []byte, ps []*Proposal) bool {
	if g.open || !c.cfg.Planted.Has(planted.IgnoreProposerTerm) || g.raft().Propose(data) != nil {
		return false
	}
	if g.commits.forwarded == nil {
		g.commits.forwarded = make(map[string][]*Proposal)
	}
	g.commits.forwarded[string(data)] = ps
	return true
}

// mistakeAcknowledge answers what mistakeForward forwarded.
func (g *group) mistakeAcknowledge(data []byte, rejected []error) {
	ps := g.commits.forwarded[string(data)]
	answerEach(ps, rejected)
	delete(g.commits.forwarded, string(data))
}
