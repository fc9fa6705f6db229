package core_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/replica/core"
	"ssod/cluster/replica/model"
	"ssod/persistence"
)

const shard core.ShardID = 1

// bench is one core whose jobs the test does when it wants to.
type bench struct {
	*testing.T
	shard   core.ShardID
	core    *core.Core
	store   *model.Store
	sent    []*pb.Message
	asked   []core.Fence // of node 2
	last    core.Leadership
	snaps   []core.SnapshotSend
	played  []core.NodeID // who answers: node 2
	deaf    bool          // node 2 answers neither heartbeats nor fences
	changes []core.Change
	lazy    bool // nothing is flushed
	// truncated is up to where the log was.
	truncated uint64
}

func id(n core.NodeID) core.ReplicaID { return persistence.NewReplicaID(n, 1) }

// newBench makes node 1 of a shard with the given voters.
func newBench(t *testing.T, voters ...core.NodeID) *bench { return newBenchOf(t, shard, voters...) }

func newBenchOf(t *testing.T, shard core.ShardID, voters ...core.NodeID) *bench {
	return newBenchWith(t, core.Config{}, shard, voters...)
}

func newBenchWith(t *testing.T, cfg core.Config, shard core.ShardID, voters ...core.NodeID) *bench {
	b := &bench{T: t, shard: shard, store: model.New(0), played: []core.NodeID{2}}
	conf := &pb.ConfState{}
	for _, n := range voters {
		conf.Voters = append(conf.Voters, uint64(id(n)))
	}
	r, err := b.store.Create(shard, id(1), conf)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Node, cfg.Store, cfg.Now, cfg.MaxQueue = 1, b.store, time.Now, 1<<10
	b.core, err = core.New(cfg, []core.Replica{r})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// round does a round and returns its jobs undone.
func (b *bench) round() core.Round {
	out := b.core.Round()
	for n := range core.NodeID(4) {
		for _, e := range out.Messages[n] {
			b.sent = append(b.sent, e.Message)
		}
	}
	b.asked = append(b.asked, out.Fences[2]...)
	for _, l := range out.Leaderships {
		b.last = l
	}
	b.snaps = append(b.snaps, out.Snapshots...)
	return out
}

// settle does rounds and all of their jobs until nothing is left.
func (b *bench) settle() {
	b.Helper()
	for b.core.Pending() {
		b.finish(b.round())
	}
}

func (b *bench) finish(out core.Round) {
	b.Helper()
	if out.Append != nil {
		if err := b.store.Append(out.Append.Writes, true); err != nil {
			b.Fatal(err)
		}
		for _, w := range out.Append.Writes {
			b.truncated = max(b.truncated, w.Truncate.Index)
		}
		b.core.AppendDone(out.Append)
	}
	if out.Apply != nil {
		if err := out.Apply.Run(b.store); err != nil {
			b.Fatal(err)
		}
		changes, _ := out.Apply.Changes()
		b.changes = append(b.changes, changes...)
		b.core.ApplyDone(out.Apply)
		if !b.lazy {
			b.flush()
		}
	}
}

// flush writes what is applied, and says so.
func (b *bench) flush() {
	b.store.Flush(b.shard)
	b.core.Flushed(b.shard, b.store.Flushed(b.shard))
}

func (b *bench) has(t pb.MessageType) bool {
	return slices.ContainsFunc(b.sent, func(m *pb.Message) bool { return m.GetType() == t })
}

// receive delivers a message from another node.
func (b *bench) receive(from core.NodeID, m *pb.Message) {
	m.From, m.To = new(uint64(id(from))), new(uint64(id(1)))
	b.core.Receive(from, []core.Envelope{{Shard: b.shard, Message: m}})
}

// answer plays the nodes that are played: they grant votes and take entries, all that
// is asked.
func (b *bench) answer() {
	b.Helper()
	for range 20 {
		b.settle()
		sent, asked := b.sent, b.asked
		b.sent, b.asked = nil, nil
		for _, f := range asked {
			if !b.deaf {
				b.confirm(f)
			}
		}
		for _, m := range sent {
			n := core.ReplicaID(m.GetTo()).Node()
			if !slices.Contains(b.played, n) {
				continue
			}
			switch m.GetType() {
			case pb.MsgPreVote:
				b.receive(n, &pb.Message{Type: pb.MsgPreVoteResp.Enum(), Term: m.Term})
			case pb.MsgVote:
				b.receive(n, &pb.Message{Type: pb.MsgVoteResp.Enum(), Term: m.Term})
			case pb.MsgApp:
				b.receive(n, &pb.Message{Type: pb.MsgAppResp.Enum(), Term: m.Term, Index: new(m.GetIndex() + uint64(len(m.GetEntries())))})
			case pb.MsgHeartbeat:
				if b.deaf {
					continue
				}
				b.receive(n, &pb.Message{Type: pb.MsgHeartbeatResp.Enum(), Term: m.Term})
			}
		}
	}
}

// confirm plays node 2, which follows in all terms that it is asked about.
func (b *bench) confirm(f core.Fence) {
	f.Answer, f.Terms = true, slices.Clone(f.Terms)
	for i := range f.Terms {
		f.Terms[i].Replica = id(2)
	}
	b.core.ReceiveFence(2, f)
}

// lead makes node 1 leader of three.
func (b *bench) lead() {
	b.Helper()
	for range 20 {
		b.core.Tick()
	}
	b.answer()
	if !b.last.Open {
		b.Fatalf("node 1 does not lead: %+v", b.last)
	}
}

func encoded(identity string, base uint64) []byte {
	return core.EncodeCommit(&persistence.Commit{Entity: core.Entity{Kind: "k", Identity: identity}, BaseRev: base})
}

// propose proposes a commit and returns where its answer will be; nothing is
// answered while it is errPending.
func (b *bench) propose(identity string, base uint64) *error {
	err := errPending
	b.core.Propose(&core.Proposal{Shard: b.shard, Term: b.last.Term, Data: encoded(identity, base), Done: func(e error) { err = e }})
	return &err
}

// commit proposes a commit and plays node 2 until it is answered.
func (b *bench) commit(identity string) *error {
	b.Helper()
	done := b.propose(identity, 0)
	b.answer()
	return done
}

var errPending = errors.New("pending")

func (b *bench) want(what string, got *error, want error) {
	b.Helper()
	if !errors.Is(*got, want) {
		b.Errorf("%s: got %v, want %v", what, *got, want)
	}
}
