package core_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/replica/core"
	"ssod/cluster/replica/model"
)

// cost is what commits cost a node's core: no store, no network.
type cost struct {
	allocs, messages, frames, entries, syncs uint64
}

// trio is three cores that hear each other at once. Node 1 leads.
type trio struct {
	testing.TB
	cores  [3]*core.Core
	stores [3]*model.Store
	terms  []uint64 // by shard, that node 1 leads in
	costs  [3]cost
	revs   []uint64
	failed int
}

func newTrio(tb testing.TB, shards int) *trio {
	t := &trio{TB: tb, terms: make([]uint64, shards+1), revs: make([]uint64, shards+1)}
	conf := &pb.ConfState{Voters: []uint64{uint64(id(1)), uint64(id(2)), uint64(id(3))}}
	for i := range t.cores {
		t.stores[i] = model.New(0)
		var rs []core.Replica
		for s := range core.ShardID(shards) {
			r, err := t.stores[i].Create(s+1, id(core.NodeID(i+1)), conf)
			if err != nil {
				tb.Fatal(err)
			}
			rs = append(rs, r)
		}
		var err error
		t.cores[i], err = core.New(core.Config{Node: core.NodeID(i + 1), Store: t.stores[i], Now: time.Now}, rs)
		if err != nil {
			tb.Fatal(err)
		}
	}
	for range 20 {
		t.cores[0].Tick()
	}
	t.settle()
	for s := range shards {
		if t.terms[s+1] == 0 {
			tb.Fatalf("node 1 does not lead shard %d", s+1)
		}
	}
	t.costs = [3]cost{}
	return t
}

// on runs what a node's core does and counts what that allocates.
func (t *trio) on(n int, f func()) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	t.costs[n].allocs += after.Mallocs - before.Mallocs
}

// settle does rounds of all nodes until there is nothing left to do: first
// everything that leaves at once, then the writes.
func (t *trio) settle() {
	for t.pending() {
		var outs [3]core.Round
		for n := range t.cores {
			outs[n] = t.round(n)
		}
		for n := range t.cores {
			t.write(n, &outs[n])
		}
	}
}

func (t *trio) pending() bool {
	return t.cores[0].Pending() || t.cores[1].Pending() || t.cores[2].Pending()
}

func (t *trio) round(n int) (out core.Round) {
	frames := make(map[core.NodeID][]byte, 2)
	t.on(n, func() {
		out = t.cores[n].Round()
		for to, es := range out.Messages {
			frames[to], _ = core.AppendFrame(nil, es)
		}
	})
	for _, l := range out.Leaderships {
		if n == 0 && l.Open {
			t.terms[l.Shard] = l.Term
		}
	}
	for to := range core.NodeID(4) {
		if frame, ok := frames[to]; ok {
			t.costs[n].frames++
			t.costs[n].messages += uint64(len(out.Messages[to]))
			t.on(int(to-1), func() {
				es, err := core.DecodeFrame(frame)
				if err != nil {
					t.Fatal(err)
				}
				t.cores[to-1].Receive(core.NodeID(n+1), es)
			})
		}
	}
	return out
}

func (t *trio) write(n int, out *core.Round) {
	if j := out.Append; j != nil {
		if err := t.stores[n].Append(j.Writes, true); err != nil {
			t.Fatal(err)
		}
		if j.Sync {
			t.costs[n].syncs++
		}
		for _, w := range j.Writes {
			t.costs[n].entries += uint64(len(w.Entries))
		}
		t.on(n, func() { t.cores[n].AppendDone(j) })
	}
	if j := out.Apply; j != nil {
		if err := j.Run(t.stores[n]); err != nil {
			t.Fatal(err)
		}
		t.on(n, func() { t.cores[n].ApplyDone(j) })
	}
}

// commit has each shard take some commits at once.
func (t *trio) commit(each int) {
	for s := 1; s < len(t.terms); s++ {
		for range each {
			p := &core.Proposal{
				Shard: core.ShardID(s), Term: t.terms[s], Data: encoded("a", t.revs[s]),
				Done: func(err error) {
					if err != nil {
						t.failed++
					}
				},
			}
			t.revs[s]++
			t.on(0, func() { t.cores[0].Propose(p) })
		}
	}
	t.settle()
}

// TestCostOfACommit: what a commit may cost the cores of a shard's leader and of a
// follower, when it has an entry of its own and when eight share one. Raft makes
// nine in ten of the allocations.
func TestCostOfACommit(t *testing.T) {
	const shards, rounds = 8, 50
	for _, tt := range []struct{ each, leader, follower int }{{1, 90, 40}, {8, 12, 5}} {
		t.Run(fmt.Sprintf("%d at once", tt.each), func(t *testing.T) {
			c := newTrio(t, shards)
			for range 5 {
				c.commit(tt.each)
			}
			c.costs = [3]cost{}
			for range rounds {
				c.commit(tt.each)
			}
			if c.failed > 0 {
				t.Fatalf("%d commits failed", c.failed)
			}
			commits := shards * rounds * tt.each
			for i, k := range c.costs {
				allocs, messages := tt.follower, 1
				if i == 0 {
					allocs, messages = tt.leader, 2
				}
				k.check(t, fmt.Sprintf("node %d", i+1), commits, cost{
					allocs: uint64(allocs * commits), messages: uint64(messages * commits / tt.each),
					frames: uint64(messages * rounds), entries: uint64(commits / tt.each), syncs: rounds,
				})
			}
		})
	}
}

// check says what commits cost, and fails where it is more than it may be. Other
// counts than those of allocations are exact.
func (k cost) check(t *testing.T, who string, commits int, most cost) {
	t.Helper()
	n := float64(commits)
	t.Logf("%s per commit: %.2f allocations, %.3f messages, %.3f frames, %.3f entries, %.3f syncs", who,
		float64(k.allocs)/n, float64(k.messages)/n, float64(k.frames)/n, float64(k.entries)/n, float64(k.syncs)/n)
	if k.allocs > most.allocs {
		t.Errorf("%s: %d allocations, want at most %d", who, k.allocs, most.allocs)
	}
	k.allocs, most.allocs = 0, 0
	if k != most {
		t.Errorf("%s: got %+v, want %+v", who, k, most)
	}
}
