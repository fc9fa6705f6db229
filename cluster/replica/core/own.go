package core

import (
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/persistence"
)

// own notes that an entry is handed out for application and returns its proposals, which
// need no decoding, if this leader proposed it in this term. Own entries are handed out
// in the order in which they were proposed.
func (c *Core) own(g *group, e *pb.Entry) []*Proposal {
	if !answerable(g, e) || g.commits.handed == len(g.commits.inflight) {
		return nil
	}
	ps := g.commits.inflight[g.commits.handed]
	g.commits.handed++
	return ps
}

// answerable reports whether an entry is one that this leader proposed.
func answerable(g *group, e *pb.Entry) bool {
	return len(e.GetData()) > 0 && e.GetType() == pb.EntryNormal && e.GetTerm() == g.term && g.leading
}

// commitsOf is what proposals commit, nil unless all of them have it.
func commitsOf(ps []*Proposal) []persistence.Commit {
	cs := make([]persistence.Commit, len(ps))
	for i, p := range ps {
		if p.Commit == nil {
			return nil
		}
		cs[i] = *p.Commit
	}
	return cs
}
