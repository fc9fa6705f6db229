package core_test

import (
	"testing"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/replica/core"
	"ssod/persistence"
)

// TestASoleVoterCommitsThroughItsLog: all that waits is one entry, in one synced
// batch, and is applied and answered when that is on disk.
func TestASoleVoterCommitsThroughItsLog(t *testing.T) {
	b := newBench(t, 1)
	b.settle()
	first, second, stale := b.propose("a", 0), b.propose("b", 0), b.propose("a", 0)
	out := b.round()
	if w := out.Append.Writes; len(w) != 1 || len(w[0].Entries) != 1 || w[0].Hard != nil || !out.Append.Sync {
		t.Fatalf("got %+v, want one entry, synced", out.Append)
	}
	b.finish(out)
	out = b.round()
	if out.Append != nil || out.Apply == nil {
		t.Fatalf("got %+v, want the entry's application and nothing else", out)
	}
	b.want("before it is applied", first, errPending)
	b.finish(out)
	b.want("first", first, nil)
	b.want("second", second, nil)
	b.want("on an old revision", stale, core.ErrRejected)
	b.settle()
	if len(b.sent) > 0 {
		t.Errorf("sent %v, and there is nobody", b.sent)
	}
}

// TestASoleVoterStartsFromItsLog: what was synced and not applied is applied
// again, and nobody waits for an election timeout.
func TestASoleVoterStartsFromItsLog(t *testing.T) {
	b := newBench(t, 1)
	b.settle()
	for rev := range uint64(3) {
		done := b.propose("a", rev)
		b.settle()
		b.want("commit", done, nil)
	}
	at, before := b.store.Applied(shard), b.last
	b.store.Crash(0)
	rs, err := b.store.Replicas()
	if err != nil {
		t.Fatal(err)
	}
	if b.core, err = core.New(core.Config{Node: 1, Store: b.store, Now: time.Now}, rs); err != nil {
		t.Fatal(err)
	}
	b.settle()
	if s, _ := b.core.Status(shard); !s.Open || s.Applied.Index != at.Index+1 || s.Term != before.Term+1 {
		t.Errorf("got %+v, want the leader of the next term at %d", s, at.Index+1)
	}
	done := b.propose("a", 3)
	b.settle()
	b.want("after it", done, nil)
}

// TestTheTermOfASoleVoterEndsDuringAWrite: nobody knows how it ends, but it is
// applied, and the next term goes on from there.
func TestTheTermOfASoleVoterEndsDuringAWrite(t *testing.T) {
	b := newBench(t, 1)
	b.settle()
	done := b.propose("a", 0)
	write := b.round()
	term := b.last.Term
	b.receive(3, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: new(term + 3)})
	out := b.round()
	b.want("after the term", done, core.ErrUnknown)
	b.finish(write)
	b.finish(out)
	b.settle()
	for range 40 {
		b.core.Tick()
		b.settle()
	}
	if !b.last.Open || b.last.Term <= term {
		t.Fatalf("got %+v, want a later term", b.last)
	}
	again := b.propose("a", 1)
	b.settle()
	b.want("on its revision", again, nil)
}

// TestALeaderDoesNotDecodeItsOwnEntries: what is applied is what was proposed.
func TestALeaderDoesNotDecodeItsOwnEntries(t *testing.T) {
	for _, voters := range [][]core.NodeID{{1}, {1, 2, 3}} {
		b := newBench(t, voters...)
		b.settle()
		if !b.last.Open {
			b.lead()
		}
		p := &core.Proposal{Shard: shard, Term: b.last.Term, Done: func(error) {}}
		p.Data, p.Commit = core.Encode(&persistence.Commit{Entity: core.Entity{Kind: "k", Identity: "a"}, State: []byte("state")})
		b.core.Propose(p)
		b.changes = nil
		b.answer()
		if len(b.changes) != 1 || len(b.changes[0].Commits) != 1 || &b.changes[0].Commits[0].State[0] != &p.Commit.State[0] {
			t.Errorf("of %d voters: applied %+v, want the proposal's own memory", len(voters), b.changes)
		}
	}
}
