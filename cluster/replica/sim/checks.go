package sim

import (
	"fmt"
	"hash/maphash"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/replica/core"
)

// checks remembers what happened, to compare it with what happens.
type checks struct {
	leaders map[termKey]leader
	entries map[indexKey]uint64 // digest of the entry that was applied
	states  map[indexKey]uint64 // digest of the state after it
	hash    maphash.Seed
	// promised is what each replica has let others count on.
	promised     map[replicaKey]promise
	appliedCount int
	latest       map[core.ShardID]core.Applied // the newest state anywhere
	happened     map[string]bool               // tags of commits that were applied
	values       map[string]bool               // states that were applied
	never        map[string]error              // tags of commits that must not be
}

type termKey struct {
	shard core.ShardID
	term  uint64
}

type leader struct {
	id   core.ReplicaID
	life int
}

type indexKey struct {
	shard core.ShardID
	index uint64
}

type replicaKey struct {
	shard core.ShardID
	id    core.ReplicaID
}

// promise is the newest term a replica answered in, whom it voted for in it,
// and up to where it acknowledged the log in it.
type promise struct {
	term, vote, index uint64
}

func newChecks() checks {
	return checks{
		leaders: map[termKey]leader{}, entries: map[indexKey]uint64{}, states: map[indexKey]uint64{},
		hash: maphash.MakeSeed(), promised: map[replicaKey]promise{},
		latest: map[core.ShardID]core.Applied{}, happened: map[string]bool{}, values: map[string]bool{}, never: map[string]error{},
	}
}

// checkLeader: a term of a shard has one leader, once.
func (w *world) checkLeader(n *node, l core.Leadership) {
	if l.Leader == 0 || l.Leader.Node() != n.id {
		return
	}
	k, me := termKey{l.Shard, l.Term}, leader{l.Leader, n.life}
	if old, ok := w.leaders[k]; ok && old != me {
		w.violate("shard %d term %d is led by %v and by %v (lives %d and %d)", l.Shard, l.Term, old.id, me.id, old.life, me.life)
	}
	if w.leaders[k] != me {
		w.noteLeader(l.Shard, l.Term)
	}
	w.leaders[k] = me
}

// checkApplied: all nodes apply the same entries and get the same state.
func (w *world) checkApplied(n *node, j *core.ApplyJob) {
	changes, results := j.Changes()
	for i := range changes {
		ch := &changes[i]
		w.appliedCount++
		k := indexKey{ch.Shard, ch.Index}
		d := w.digest(ch)
		if old, ok := w.entries[k]; ok && old != d {
			w.violate("node %d applies another entry at %d of shard %d, term %d", n.id, ch.Index, ch.Shard, ch.Term)
		}
		w.entries[k] = d
		w.checkTags(n, ch, results[i])
		w.checkTime(n, ch)
		if ch.Conf != nil {
			w.seenConf(ch.Shard, ch.Conf)
			w.divide(n, ch.Shard, ch.Conf)
		}
		if i+1 == len(changes) || changes[i+1].Shard != ch.Shard {
			w.checkState(n, ch.Shard)
		}
	}
}

func (w *world) digest(ch *core.Change) uint64 {
	var h maphash.Hash
	h.SetSeed(w.hash)
	fmt.Fprintln(&h, ch.Term, ch.Time, ch.Reset, ch.Conf.GetVoters(), ch.Conf.GetVotersOutgoing(), ch.Conf.GetLearners())
	for i := range ch.Commits {
		h.Write(core.EncodeCommit(&ch.Commits[i]))
	}
	return h.Sum64()
}

// checkState: the state after an index is the same everywhere, and a head and
// the record beside it changed together.
func (w *world) checkState(n *node, shard core.ShardID) {
	at, d := n.store.Digest(shard)
	k := indexKey{shard, at.Index}
	if old, ok := w.states[k]; ok && old != d {
		w.violate("node %d has another state of shard %d after %d", n.id, shard, at.Index)
	}
	w.states[k] = d
	for _, e := range entities {
		h, ok := n.store.Head(shard, e)
		r, _ := n.store.Record(shard, e, part)
		if ok && string(h.State) != r {
			w.violate("node %d shard %d after %d: head of %s is %q but its record %q", n.id, shard, at.Index, e.Identity, h.State, r)
		}
	}
	w.note(shard, n.store.Applied(shard))
}

// checkTags: what was refused or rejected does not happen.
func (w *world) checkTags(n *node, ch *core.Change, rejected []error) {
	for i := range ch.Commits {
		if rejected != nil && rejected[i] != nil {
			continue
		}
		w.checkPosts(n, ch.Shard, &ch.Commits[i])
		if ch.Commits[i].Marking() {
			continue
		}
		tag := string(ch.Commits[i].Outcomes[0].Result)
		w.happened[tag] = true
		w.values[string(ch.Commits[i].State)] = true
		if why, ok := w.never[tag]; ok {
			w.violate("node %d applies commit %s, which was answered %v", n.id, tag, why)
		}
	}
}

// mustNot notes that a commit was refused or rejected.
func (w *world) mustNot(tag string, why error) {
	w.never[tag] = why
	if w.happened[tag] {
		w.violate("commit %s is applied, but was answered %v", tag, why)
	}
}

// checkPromises: what a node votes and acknowledges is on its disk (raft
// thesis 3.8).
func (w *world) checkPromises(n *node, es []core.Envelope) {
	for _, e := range es {
		m := e.Message
		t := m.GetType()
		if m.GetReject() || t != pb.MsgAppResp && t != pb.MsgVoteResp {
			continue
		}
		w.promise(n, e.Shard, m)
		if !w.opts.NoPromises {
			w.checkDurable(n, e.Shard, m)
		}
	}
}

func (w *world) promise(n *node, shard core.ShardID, m *pb.Message) {
	k := replicaKey{shard, core.ReplicaID(m.GetFrom())}
	p := w.promised[k]
	if m.GetTerm() < p.term {
		return
	}
	if m.GetTerm() > p.term {
		p = promise{term: m.GetTerm()}
	}
	if m.GetType() == pb.MsgVoteResp {
		p.vote = m.GetTo()
	} else {
		p.index = max(p.index, m.GetIndex())
	}
	w.promised[k] = p
}

func (w *world) checkDurable(n *node, shard core.ShardID, m *pb.Message) {
	hard, last, ok := n.store.Durable(shard)
	switch {
	case !ok || hard.GetTerm() < m.GetTerm():
		w.violate("node %d sends %v in term %d of shard %d, but has only term %d on disk", n.id, m.GetType(), m.GetTerm(), shard, hard.GetTerm())
	case hard.GetTerm() > m.GetTerm():
	case m.GetType() == pb.MsgVoteResp && hard.GetVote() != m.GetTo():
		w.violate("node %d votes for %v in term %d of shard %d, but has a vote for %v on disk", n.id, core.ReplicaID(m.GetTo()), m.GetTerm(), shard, core.ReplicaID(hard.GetVote()))
	case m.GetType() == pb.MsgAppResp && last < m.GetIndex():
		w.violate("node %d acknowledges %d of shard %d, but has only %d on disk", n.id, m.GetIndex(), shard, last)
	}
}

// checkMemory: after a start everything that was promised is still there.
func (w *world) checkMemory(n *node, rs []core.Replica) {
	if w.opts.NoPromises {
		return
	}
	for _, r := range rs {
		p := w.promised[replicaKey{r.Shard, r.ID}]
		_, last, _ := n.store.Durable(r.Shard)
		hard := r.Hard
		switch {
		case hard.GetTerm() < p.term:
			w.violate("node %d has forgotten term %d of shard %d, it starts with %d", n.id, p.term, r.Shard, hard.GetTerm())
		case hard.GetTerm() > p.term:
		case p.vote != 0 && hard.GetVote() != p.vote:
			w.violate("node %d has forgotten its vote in term %d of shard %d", n.id, p.term, r.Shard)
		case last < p.index:
			w.violate("node %d has forgotten entries %d to %d of shard %d", n.id, last+1, p.index, r.Shard)
		}
	}
}

// agreed returns "" when all members of all shards are in the same state, else which are
// not.
func (w *world) agreed() string {
	for _, s := range w.shards {
		conf := w.latest[s].Conf
		if len(conf.GetVotersOutgoing()) > 0 {
			return fmt.Sprintf("shard %d is in a joint configuration", s)
		}
		for _, id := range memberIDs(conf) {
			if why := w.behind(s, id); why != "" {
				return why
			}
		}
	}
	return ""
}

// behind returns "" when a member has applied everything.
func (w *world) behind(s core.ShardID, id core.ReplicaID) string {
	if w.lost[replicaKey{s, id}] {
		return ""
	}
	n := w.nodes[id.Node()]
	if n.core == nil {
		return fmt.Sprintf("node %d, a member of shard %d, is down", n.id, s)
	}
	if st, ok := n.core.Status(s); !ok || st.ID != id {
		return fmt.Sprintf("shard %d has no replica %v", s, id)
	}
	if at, _ := n.store.Digest(s); at.Index < w.latest[s].Index {
		return fmt.Sprintf("replica %v of shard %d is at %d of %d", id, s, at.Index, w.latest[s].Index)
	}
	return ""
}

// progress returns whether every client has got an answer since now.
func (w *world) progress() func() string {
	since := make(map[*client]int)
	for _, c := range w.clients {
		since[c] = c.answers
	}
	return func() string {
		for _, c := range w.clients {
			if c.answers < since[c]+2 {
				return fmt.Sprintf("client %d gets no answers about shard %d", c.id, c.shard)
			}
		}
		return ""
	}
}

// note remembers the newest applied state of a shard.
func (w *world) note(shard core.ShardID, a core.Applied) {
	if a.Index > w.latest[shard].Index {
		w.latest[shard] = a
	}
}
