package shardtest

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"pgregory.net/rapid"

	"ssod/cluster"
)

// modelled is what the model knows of one entity.
type modelled struct {
	rev     uint64
	state   string
	records map[string]string
}

// model makes random histories on a few entities and compares each step with
// maps in memory.
func (s *suite) model() {
	shard, run := s.lead(1), 0
	rapid.Check(s, func(t *rapid.T) {
		run++
		known := map[cluster.Entity]*modelled{}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			e := cluster.Entity{Kind: "k", Identity: fmt.Sprint(run, "/", rapid.IntRange(0, 2).Draw(t, "entity"))}
			if known[e] == nil {
				known[e] = &modelled{records: map[string]string{}}
			}
			s.step(t, shard, known[e], drawCommit(t, e, known[e].rev))
		}
	})
}

// drawCommit draws a commit, mostly on the right revision.
func drawCommit(t *rapid.T, e cluster.Entity, rev uint64) cluster.Commit {
	c := cluster.Commit{Entity: e, BaseRev: rev}
	if rapid.IntRange(0, 9).Draw(t, "stale") == 0 {
		c.BaseRev += 1 + rapid.Uint64Range(0, 2).Draw(t, "ahead")
	}
	if c.BaseRev > 0 && rapid.IntRange(0, 5).Draw(t, "remove") == 0 {
		c.Remove = true
		return c
	}
	c.State = text(rapid.StringN(0, 8, 8).Draw(t, "state"))
	part := rapid.SampledFrom([]string{"a", "b", "c", "d"})
	for range rapid.IntRange(0, 3).Draw(t, "puts") {
		c.Puts = append(c.Puts, cluster.Record{Part: part.Draw(t, "put"), Value: text(rapid.StringN(0, 3, 3).Draw(t, "value"))})
	}
	c.Deletes = rapid.SliceOfN(part, 0, 2).Draw(t, "deletes")
	return c
}

// step commits c to the shard and to the model and compares them.
func (s *suite) step(t *rapid.T, shard cluster.Shard, m *modelled, c cluster.Commit) {
	err := shard.Commit(s.Context(), c)
	if want := m.commit(c); !errors.Is(err, want) {
		t.Fatalf("commit on revision %d: got %v, want %v", c.BaseRev, err, want)
	}
	if h := s.head(shard, c.Entity); h.Rev != m.rev || string(h.State) != m.state {
		t.Fatalf("head: got revision %d %q, want %d %q", h.Rev, h.State, m.rev, m.state)
	}
	want := []string{}
	for _, part := range slices.Sorted(maps.Keys(m.records)) {
		want = append(want, part+"="+m.records[part])
	}
	if got := s.recordsOf(shard, c.Entity); !slices.Equal(got, want) {
		t.Fatalf("records: got %q, want %q", got, want)
	}
}

func (m *modelled) commit(c cluster.Commit) error {
	if c.BaseRev != m.rev {
		return cluster.ErrRejected
	}
	if c.Remove {
		*m = modelled{records: map[string]string{}}
		return nil
	}
	m.rev, m.state = m.rev+1, string(c.State)
	for _, r := range c.Puts {
		m.records[r.Part] = string(r.Value)
	}
	for _, part := range c.Deletes {
		delete(m.records, part)
	}
	return nil
}
