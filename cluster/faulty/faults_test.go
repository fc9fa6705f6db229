package faulty_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"ssod/cluster"
	"ssod/cluster/faulty"
)

var viewer = cluster.Entity{Kind: "profile", Identity: "viewer"}

// lead returns the node's handle on shard 1.
func lead(t *testing.T, n *faulty.Node) cluster.Shard {
	t.Helper()
	shard, ok := n.Lead(1)
	if !ok {
		t.Fatal("shard 1 is not led")
	}
	return shard
}

func revision(t *testing.T, r cluster.Reader) uint64 {
	t.Helper()
	h, _, err := r.Head(viewer)
	if err != nil {
		t.Fatal(err)
	}
	return h.Rev
}

func isLost(s cluster.Shard) bool {
	select {
	case <-s.Lost():
		return true
	default:
		return false
	}
}

func TestFaultsAreHonest(t *testing.T) {
	tests := []struct {
		fault   faulty.Fault
		want    error
		wantRev uint64 // after a commit on revision 1
		lost    bool
	}{
		{faulty.None, nil, 2, false},
		{faulty.Refuse, cluster.ErrRefused, 1, false},
		{faulty.Reject, cluster.ErrRejected, 2, false},
		{faulty.UnknownDone, cluster.ErrUnknown, 2, false},
		{faulty.UnknownNotDone, cluster.ErrUnknown, 1, false},
		{faulty.Delay, nil, 2, false},
		{faulty.Flap, cluster.ErrRefused, 1, true},
		{faulty.FlapDone, cluster.ErrUnknown, 2, true},
	}
	for _, tt := range tests {
		t.Run(tt.fault.String(), func(t *testing.T) {
			node := faulty.New(faulty.Options{Commits: faulty.Script(faulty.None, tt.fault)}).Node("a:1")
			shard := lead(t, node)
			if err := shard.Commit(t.Context(), cluster.Commit{Entity: viewer}); err != nil {
				t.Fatal(err)
			}
			err := shard.Commit(t.Context(), cluster.Commit{Entity: viewer, BaseRev: 1, Outcomes: []cluster.Outcome{{}}})
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if got := revision(t, shard); got != tt.wantRev {
				t.Errorf("revision: got %d, want %d", got, tt.wantRev)
			}
			_, found, _ := shard.Outcome(viewer, cluster.RequestID{}, 0)
			if written := tt.wantRev == 2 && tt.fault != faulty.Reject; found != written {
				t.Errorf("outcome: got %v, want %v", found, written)
			}
			if isLost(shard) != tt.lost {
				t.Errorf("lost: got %v, want %v", isLost(shard), tt.lost)
			}
			if next := lead(t, node); tt.lost && next.Term() != shard.Term()+1 {
				t.Errorf("term after a flap: got %d, want %d", next.Term(), shard.Term()+1)
			}
		})
	}
}

func TestUsurpedOwnerCannotWriteOrPassABarrier(t *testing.T) {
	truth := faulty.New(faulty.Options{})
	a, b := truth.Node("a:1"), truth.Node("b:1")
	old := lead(t, a)
	must(t, old.Commit(t.Context(), cluster.Commit{Entity: viewer}))
	truth.Usurp(1, b)
	current := lead(t, b)
	must(t, current.Commit(t.Context(), cluster.Commit{Entity: viewer, BaseRev: 1}))

	if isLost(old) {
		t.Error("the old owner knows already")
	}
	if owner, _ := a.Owner(1); owner.Address != "a:1" || owner.Term >= current.Term() {
		t.Errorf("owner as the old one sees it: got %v", owner)
	}
	if got := revision(t, old); got != 1 {
		t.Errorf("revision in the old owner's view: got %d, want 1", got)
	}
	for range 4 {
		err := old.Commit(t.Context(), cluster.Commit{Entity: viewer, BaseRev: 1})
		if !errors.Is(err, cluster.ErrRefused) && !errors.Is(err, cluster.ErrUnknown) {
			t.Errorf("commit of the old owner: got %v", err)
		}
	}
	if err := old.ReadBarrier(t.Context()); !errors.Is(err, cluster.ErrLost) {
		t.Errorf("barrier of the old owner: got %v, want ErrLost", err)
	}
	must(t, current.ReadBarrier(t.Context()))
	if got := revision(t, current); got != 2 {
		t.Errorf("revision: got %d, want 2", got)
	}
	truth.Notice(1)
	if _, ok := a.Lead(1); ok || !isLost(old) || isLost(current) {
		t.Error("after the notice the old owner must be lost, and only it")
	}
}

func TestMoveTellsEveryNode(t *testing.T) {
	truth := faulty.New(faulty.Options{})
	a, b := truth.Node("a:1"), truth.Node("b:1")
	var told []string
	for _, n := range []*faulty.Node{a, b} {
		n.Watch(func(id cluster.ShardID) {
			owner, _ := n.Owner(id)
			told = append(told, n.Address()+" sees "+owner.Address)
		})
	}
	old := lead(t, a)
	truth.Move(1, b)
	if !isLost(old) || len(told) != 2 || told[0] != "a:1 sees b:1" || told[1] != "b:1 sees b:1" {
		t.Errorf("lost %v, told %q", isLost(old), told)
	}
	truth.Move(1, nil)
	if _, ok := a.Owner(1); ok {
		t.Error("a shard that nobody leads has an owner")
	}
}

func TestHeldCommit(t *testing.T) {
	tests := []struct {
		name string
		end  func(*faulty.Truth, context.CancelFunc)
		want error
		rev  uint64
	}{
		{"released", func(truth *faulty.Truth, _ context.CancelFunc) { truth.Release() }, nil, 1},
		{"given up", func(_ *faulty.Truth, cancel context.CancelFunc) { cancel() }, cluster.ErrUnknown, 0},
		{"term over", func(truth *faulty.Truth, _ context.CancelFunc) { truth.Flap(1) }, cluster.ErrUnknown, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				truth := faulty.New(faulty.Options{Commits: faulty.Always(faulty.Hold)})
				node := truth.Node("a:1")
				shard, done := lead(t, node), make(chan error, 1)
				go func() { done <- shard.Commit(ctx, cluster.Commit{Entity: viewer}) }()
				synctest.Wait()
				if got := revision(t, shard); got != 0 {
					t.Errorf("revision while held: got %d, want 0", got)
				}
				tt.end(truth, cancel)
				if err := <-done; !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
				if got := revision(t, lead(t, node)); got != tt.rev {
					t.Errorf("revision: got %d, want %d", got, tt.rev)
				}
			})
		})
	}
}

func TestDelayedCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shard := lead(t, faulty.New(faulty.Options{Commits: faulty.Always(faulty.Delay), Delay: time.Second}).Node("a:1"))
		must(t, shard.Commit(t.Context(), cluster.Commit{Entity: viewer}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		err := shard.Commit(ctx, cluster.Commit{Entity: viewer, BaseRev: 1})
		if !errors.Is(err, cluster.ErrUnknown) || revision(t, shard) != 2 {
			t.Errorf("commit that was given up: got %v and revision %d, want ErrUnknown and 2", err, revision(t, shard))
		}
	})
}

func TestBarrierThatFlaps(t *testing.T) {
	node := faulty.New(faulty.Options{Barriers: faulty.Script(faulty.Flap)}).Node("a:1")
	shard := lead(t, node)
	if err := shard.ReadBarrier(t.Context()); !errors.Is(err, cluster.ErrLost) || !isLost(shard) {
		t.Errorf("got %v and lost %v, want ErrLost and true", err, isLost(shard))
	}
	must(t, lead(t, node).ReadBarrier(t.Context()))
}

func TestSeededPlanRepeats(t *testing.T) {
	draw := func(seed uint64) (faults [50]faulty.Fault) {
		plan := faulty.Seeded(seed, 50)
		for i := range faults {
			faults[i] = plan(faulty.Op{N: i})
		}
		return faults
	}
	first, again, other := draw(1), draw(1), draw(2)
	if first != again {
		t.Error("the same seed gives other faults")
	}
	if first == other {
		t.Error("another seed gives the same faults")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
