package sim

import (
	"slices"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/replica/core"
	"ssod/cluster/replica/internal/planted"
	"ssod/cluster/replica/model"
	"ssod/persistence"
)

// members is what the placement of replicas knows. It stands for the meta
// group, which is assumed to be right.
type members struct {
	generation map[shardNode]uint32
	seen       map[replicaKey]bool // was in a configuration
	lost       map[replicaKey]bool // its disk is gone
	// shrinking: a shard is about to be left to one voter, or was.
	shrinking map[core.ShardID]bool
}

type shardNode struct {
	shard core.ShardID
	node  core.NodeID
}

func newMembers() members {
	return members{generation: map[shardNode]uint32{}, seen: map[replicaKey]bool{}, lost: map[replicaKey]bool{}, shrinking: map[core.ShardID]bool{}}
}

// nextID hands out a replica id, each once.
func (w *world) nextID(s core.ShardID, n core.NodeID) core.ReplicaID {
	k := shardNode{s, n}
	if w.generation[k] == 0 || !w.opts.Planted.Has(planted.ReuseReplicaID) {
		w.generation[k]++
	}
	return persistence.NewReplicaID(n, w.generation[k])
}

// found makes a shard with three members, or five, or one that grows.
func (w *world) found(s core.ShardID) {
	w.shards = append(w.shards, s)
	conf := &pb.ConfState{}
	size := 3
	if len(w.ids) > 5 && w.chance(0.5) {
		size = 5
	}
	if w.grows {
		size = 1
	}
	for _, i := range w.rand.Perm(len(w.ids))[:size] {
		conf.Voters = append(conf.Voters, uint64(w.nextID(s, w.ids[i])))
	}
	slices.Sort(conf.Voters)
	for _, v := range conf.Voters {
		id := core.ReplicaID(v)
		_, err := w.nodes[id.Node()].store.Create(s, id, conf)
		w.nodes[id.Node()].must(err)
	}
	w.seenConf(s, conf)
	w.latest[s] = core.Applied{Conf: conf}
}

func (w *world) seenConf(s core.ShardID, conf *pb.ConfState) {
	for _, id := range memberIDs(conf) {
		w.seen[replicaKey{s, id}] = true
	}
}

// memberIDs are all replicas in a configuration.
func memberIDs(conf *pb.ConfState) []core.ReplicaID {
	var ids []core.ReplicaID
	for _, set := range [][]uint64{conf.GetVoters(), conf.GetVotersOutgoing(), conf.GetLearners(), conf.GetLearnersNext()} {
		for _, id := range set {
			if !slices.Contains(ids, core.ReplicaID(id)) {
				ids = append(ids, core.ReplicaID(id))
			}
		}
	}
	return ids
}

// reconcile changes the members of shards and removes replicas that are no
// members any more.
func (w *world) reconcile() {
	if !w.faulty {
		return
	}
	for _, s := range w.shards {
		for _, id := range w.ids {
			w.collectGarbage(s, w.nodes[id])
		}
		if n, o := w.newestOwner(s); o != nil && w.chance(0.7) {
			n.input(func(c *core.Core) { w.move(c, n, s, o.term) })
		}
	}
	w.after(w.between(200*time.Millisecond, 3*time.Second), w.reconcile)
}

func (w *world) newestOwner(s core.ShardID) (*node, *owner) {
	var newest *owner
	for _, id := range w.ids {
		n := w.nodes[id]
		if n.core != nil && n.owners[s] != nil && (newest == nil || n.owners[s].term > newest.term) {
			newest = n.owners[s]
		}
	}
	if newest == nil {
		return nil, nil
	}
	return newest.n, newest
}

// collectGarbage removes a replica that has left the configuration, if the
// shard's leader says so.
func (w *world) collectGarbage(s core.ShardID, n *node) {
	leader, o := w.newestOwner(s)
	if n.core == nil || o == nil {
		return
	}
	st, ok := n.core.Status(s)
	if !ok || !w.seen[replicaKey{s, st.ID}] || slices.Contains(memberIDs(w.latest[s].Conf), st.ID) {
		return // also when the leader asked is one no more, which its barrier would tell it
	}
	said, ok := leader.core.Status(s)
	if !ok || !said.Open || !said.Settled || slices.Contains(memberIDs(said.Applied.Conf), st.ID) {
		return
	}
	n.input(func(c *core.Core) { c.Remove(s) })
}

// move brings the members of a shard one step further: a new learner, a
// learner that becomes a voter in place of another, or a transfer. In a cluster
// that grows it becomes one beside the others until there are three, and some
// day the leader is left alone.
func (w *world) move(c *core.Core, n *node, s core.ShardID, term uint64) {
	st, ok := c.Status(s)
	if !ok || !st.Open || st.Term != term {
		return
	}
	conf := st.Applied.Conf
	voters := conf.GetVoters()
	if len(voters) < 3 {
		w.shrinking[s] = false // it has happened
	}
	switch learners := conf.GetLearners(); {
	case len(learners) > 0 && w.lost[replicaKey{s, core.ReplicaID(learners[0])}]:
		w.change(c, s, term, change(pb.ConfChangeRemoveNode, learners[0]))
	case len(learners) > 0 && st.Match[core.ReplicaID(learners[0])]+10 > st.Applied.Index && w.grows && len(voters) < 3:
		w.change(c, s, term, change(pb.ConfChangeAddNode, learners[0]))
	case len(learners) > 0 && st.Match[core.ReplicaID(learners[0])]+10 > st.Applied.Index:
		w.change(c, s, term, change(pb.ConfChangeAddNode, learners[0]), change(pb.ConfChangeRemoveNode, w.victim(s, voters)))
	case len(learners) > 0:
	case w.grows && len(voters) > 2 && w.chance(0.3):
		w.shrink(c, s, term, st.ID, voters)
	case w.chance(0.3):
		c.Transfer(s, core.ReplicaID(voters[w.rand.IntN(len(voters))]))
	default:
		if id, ok := w.spare(s, conf); ok {
			w.change(c, s, term, change(pb.ConfChangeAddLearnerNode, uint64(id)))
		}
	}
}

// shrink leaves one voter alone.
func (w *world) shrink(c *core.Core, s core.ShardID, term uint64, stays core.ReplicaID, voters []uint64) {
	var cs []*pb.ConfChangeSingle
	for _, v := range voters {
		if core.ReplicaID(v) != stays {
			cs = append(cs, change(pb.ConfChangeRemoveNode, v))
		}
	}
	w.shrinking[s] = true
	w.change(c, s, term, cs...)
}

func change(t pb.ConfChangeType, id uint64) *pb.ConfChangeSingle {
	return &pb.ConfChangeSingle{Type: t.Enum(), NodeId: new(id)}
}

func (w *world) change(c *core.Core, s core.ShardID, term uint64, cs ...*pb.ConfChangeSingle) {
	if c.ChangeMembers(s, term, cs) == nil {
		w.moves++
	}
}

// victim is the voter to be replaced: one whose disk is gone, else any.
func (w *world) victim(s core.ShardID, voters []uint64) uint64 {
	for _, v := range voters {
		if w.lost[replicaKey{s, core.ReplicaID(v)}] {
			return v
		}
	}
	return voters[w.rand.IntN(len(voters))]
}

// spare makes a replica on a node that has none.
func (w *world) spare(s core.ShardID, conf *pb.ConfState) (core.ReplicaID, bool) {
	n := w.nodes[w.ids[w.rand.IntN(len(w.ids))]]
	if n.core == nil {
		return 0, false
	}
	for _, id := range memberIDs(conf) {
		if id.Node() == n.id && !w.lost[replicaKey{s, id}] {
			return 0, false
		}
	}
	if st, ok := n.core.Status(s); ok {
		return st.ID, !w.seen[replicaKey{s, st.ID}]
	}
	id := w.nextID(s, n.id)
	r, err := n.store.Create(s, id, nil)
	if err != nil {
		return 0, false
	}
	n.must(n.core.Add(r))
	n.kick()
	return id, true
}

// bears reports whether a shard can bear the loss of a disk: none is lost, not even
// one that some voter still counts, and all of its voters know of three voters at
// least, on both sides of a change that is under way. Nothing else is asked, so the disk may go at any moment of
// a change.
func (w *world) bears(s core.ShardID) bool {
	conf := w.latest[s].Conf
	for _, id := range memberIDs(conf) {
		if w.lost[replicaKey{s, id}] {
			return false
		}
	}
	for _, v := range slices.Concat(conf.GetVoters(), conf.GetVotersOutgoing()) {
		known := w.nodes[core.ReplicaID(v).Node()].store.DurableConf(s)
		if !threefold(known) || slices.ContainsFunc(memberIDs(known), func(id core.ReplicaID) bool { return w.lost[replicaKey{s, id}] }) {
			return false
		}
	}
	return threefold(conf) && !w.shrinking[s]
}

func threefold(conf *pb.ConfState) bool {
	out := len(conf.GetVotersOutgoing())
	return len(conf.GetVoters()) >= 3 && (out == 0 || out >= 3)
}

// loseDisk replaces a node's disk by an empty one, when every shard can bear
// it.
func (w *world) loseDisk(n *node) {
	for _, s := range w.shards {
		if !w.bears(s) {
			return
		}
	}
	n.crash()
	rs, _ := n.store.Replicas()
	n.store = model.New(w.opts.Planted)
	for _, r := range rs {
		if w.opts.Planted.Has(planted.ReuseReplicaID) {
			_, err := n.store.Create(r.Shard, r.ID, nil)
			n.must(err)
		} else {
			w.lost[replicaKey{r.Shard, r.ID}] = true
		}
	}
}
