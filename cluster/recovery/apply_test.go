package recovery

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"

	pb "go.etcd.io/raft/v3/raftpb"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"ssod/cluster"
	"ssod/cluster/meta"
	"ssod/cluster/replica"
	"ssod/persistence"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

// survivor makes the directory of node 1 of three. In the log of each shard are an
// entry of its state and, behind it, an entry that would take its vote away.
func survivor(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	s, err := persistence.Open(persistence.Options{Dir: dir, DefaultNode: "n1", Shards: 2, Logger: quiet})
	ok(t, err)
	conf := &pb.ConfState{Voters: []uint64{uint64(id(1)), uint64(id(2)), uint64(id(3))}}
	rs, err := s.Log().CreateAll([]persistence.ShardID{0, 1, 2}, id(1), conf)
	ok(t, err)
	leave, err := proto.Marshal(&pb.ConfChangeV2{Changes: []*pb.ConfChangeSingle{
		raftRemove(id(1)), raftAdd(id(4)),
	}})
	ok(t, err)
	for _, r := range rs {
		ok(t, s.Log().Scan(r.Shard, func(persistence.Position, int) {}))
		ok(t, s.Log().Append([]persistence.LogWrite{{
			Shard: r.Shard, Hard: &pb.HardState{Term: new(uint64(7)), Vote: new(uint64(id(2))), Commit: new(uint64(1))},
			Entries: []*pb.Entry{
				{Term: new(uint64(6)), Index: new(uint64(2))},
				{Term: new(uint64(6)), Index: new(uint64(3)), Type: new(pb.EntryConfChangeV2), Data: leave},
			},
		}}, true))
	}
	ok(t, s.Close())
	return dir
}

func raftRemove(r persistence.ReplicaID) *pb.ConfChangeSingle {
	return &pb.ConfChangeSingle{Type: new(pb.ConfChangeRemoveNode), NodeId: new(uint64(r))}
}

func raftAdd(r persistence.ReplicaID) *pb.ConfChangeSingle {
	return &pb.ConfChangeSingle{Type: new(pb.ConfChangeAddNode), NodeId: new(uint64(r))}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func planFor(t *testing.T, dir string) Plan {
	t.Helper()
	r, err := Inspect(dir, quiet)
	ok(t, err)
	p, err := Decide([]Report{r}, false)
	ok(t, err)
	return p
}

func TestWhatASurvivorReports(t *testing.T) {
	r, err := Inspect(survivor(t), quiet)
	ok(t, err)
	again, err := Inspect(survivor(t), quiet)
	ok(t, err)
	if len(r.Replicas) != 3 || len(r.Next) != 0 || r.Node != (Member{ID: 1, Name: "n1"}) || r.digest() == again.digest() {
		t.Fatalf("report: %+v", r)
	}
	x := r.Replicas[1]
	if x.Shard != 1 || x.Replica != id(1) || x.Term != 7 || x.LastTerm != 6 || x.LastIndex != 3 || x.Commit != 1 {
		t.Errorf("replica: %+v", x)
	}
	if len(x.Configurations) != 2 || !slices.Equal(x.Configurations[0].Voters, voters(1, 2, 3).Voters) ||
		!slices.Equal(x.Configurations[1].Voters, voters(2, 3, 4).Voters) {
		t.Errorf("configurations: %v", x.Configurations)
	}
}

// TestASurvivorGoesOnAlone applies a plan and has the engine lead every shard, with
// the log as it was but for the change that would have taken its vote away.
func TestASurvivorGoesOnAlone(t *testing.T) {
	dir := survivor(t)
	p := planFor(t, dir)
	ok(t, Apply(t.Context(), p, dir, quiet))
	ok(t, Apply(t.Context(), p, dir, quiet))

	s, err := persistence.Open(persistence.Options{Dir: dir, Logger: quiet})
	ok(t, err)
	defer func() { ok(t, s.Close()) }()
	if got := s.Identity().Cluster; got != p.Recovered {
		t.Errorf("the directory is of cluster %s, want %s", got, p.Recovered)
	}
	replicas, err := s.Log().Replicas()
	ok(t, err)
	for _, r := range replicas {
		if r.ID != persistence.NewReplicaID(1, 2) || r.Hard.GetTerm() < p.Shards[r.Shard].Term {
			t.Errorf("shard %d: replica %v in term %d", r.Shard, r.ID, r.Hard.GetTerm())
		}
		ok(t, s.Log().Scan(r.Shard, func(persistence.Position, int) {}))
		es, err := s.Log().Entries(r.Shard, 3, 4, 1<<20)
		ok(t, err)
		if e := es[0]; e.GetType() != pb.EntryNormal || len(e.GetData()) > 0 || e.GetTerm() != 6 {
			t.Errorf("shard %d: entry 3 is %v", r.Shard, e)
		}
	}
	e, err := replica.Open(replica.Config{
		Node: 1, Shards: 2, Log: s.Log(), State: s, Address: func(persistence.NodeID) string { return "n1" },
	})
	ok(t, err)
	defer e.Close()
	tables, err := meta.Open(t.Context(), e)
	ok(t, err)
	for shard := range cluster.ShardID(3) {
		key := []string{"group/00000", "group/00001", "group/00002"}[shard]
		if _, there := tables.Get("nodes", key); !there {
			t.Errorf("the tables do not have %s", key)
		}
	}
}

// TestARecoveryThatIsCutShort ends Apply after its first step: the directory does not
// start, and applying again ends it.
func TestARecoveryThatIsCutShort(t *testing.T) {
	dir := survivor(t)
	p := planFor(t, dir)
	ok(t, p.convert(p.Nodes[0], dir, quiet))
	if s, err := persistence.Open(persistence.Options{Dir: dir, Logger: quiet}); !errors.Is(err, persistence.ErrRecovering) {
		t.Fatalf("a directory that is half-way opens: %v %v", s, err)
	}
	other := planFor(t, survivor(t))
	other.Cluster = p.Cluster
	other.Recovered = p.Cluster + ".1"
	if err := Apply(t.Context(), other, dir, quiet); !errors.Is(err, persistence.ErrRecovering) {
		t.Errorf("another plan is applied to it: %v", err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := Apply(stopped, p, dir, quiet); !errors.Is(err, context.Canceled) {
		t.Errorf("a plan is applied although nobody waits for it: %v", err)
	}
	ok(t, Apply(t.Context(), p, dir, quiet))
	s, err := persistence.Open(persistence.Options{Dir: dir, Logger: quiet})
	ok(t, err)
	ok(t, s.Close())
}

func TestPlansThatAreNotForADirectory(t *testing.T) {
	dir := survivor(t)
	p := planFor(t, dir)
	for what, spoil := range map[string]func(*Plan){
		"another cluster": func(p *Plan) { p.Cluster = "other" },
		"without it":      func(p *Plan) { p.Nodes[0].ID = 2 },
		"a newer format":  func(p *Plan) { p.Format++ },
		"another state":   func(p *Plan) { p.Nodes[0].Report = "0" },
	} {
		spoiled := p
		spoiled.Nodes = slices.Clone(p.Nodes)
		spoil(&spoiled)
		if err := Apply(t.Context(), spoiled, dir, quiet); !errors.Is(err, ErrApply) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := Apply(t.Context(), p, t.TempDir(), quiet); !errors.Is(err, ErrApply) {
		t.Errorf("an empty directory: %v", err)
	}
	if _, err := Inspect(t.TempDir(), quiet); err == nil {
		t.Error("an empty directory is reported")
	}
	ok(t, Apply(t.Context(), p, dir, quiet)) // nothing of it did harm
}
