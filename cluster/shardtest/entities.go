package shardtest

import (
	"fmt"
	"slices"

	"ssod/cluster"
)

// identities lists entities of a kind after one of them, at most limit.
func (s *suite) identities(shard cluster.Shard, kind, after string, limit int) []string {
	s.Helper()
	all := []string{}
	err := shard.Entities(kind, after, func(identity string, h cluster.Head) bool {
		if string(h.State) != identity {
			s.Errorf("head of %q: got state %q", identity, h.State)
		}
		all = append(all, identity)
		return len(all) < limit
	})
	if err != nil {
		s.Fatal(err)
	}
	return all
}

func (s *suite) put(shard cluster.Shard, kind string, identities ...string) {
	s.Helper()
	for _, identity := range identities {
		s.must(shard, cluster.Commit{
			Entity: cluster.Entity{Kind: kind, Identity: identity}, State: text(identity),
			Outcomes: []cluster.Outcome{{Result: text("other keys")}},
		})
	}
}

// listed checks that exactly these entities of a kind are listed, in whatever
// order, and from each of them on the rest in the same order.
func (s *suite) listed(shard cluster.Shard, kind string, want ...string) {
	s.Helper()
	all := s.identities(shard, kind, "", 100)
	s.equal("all", slices.Sorted(slices.Values(all)), slices.Sorted(slices.Values(want)))
	for i, identity := range all {
		s.equal("after "+identity, s.identities(shard, kind, identity, 100), all[i+1:])
		rest := all[i+1:]
		s.equal("two after "+identity, s.identities(shard, kind, identity, 2), rest[:min(2, len(rest))])
	}
}

func (s *suite) entities() {
	shard := s.lead(1)
	s.put(shard, "k", "b", "a", "ab", "\xff", "c")
	s.put(shard, "ka", "x")
	s.put(s.lead(2), "k", "in another shard")
	s.listed(shard, "k", "a", "b", "c", "\xff", "ab")
	s.listed(shard, "ka", "x")
	s.listed(shard, "z")
}

func (s *suite) entitiesWithRecords() {
	shard := s.lead(1)
	var puts []cluster.Record
	for i := range 300 {
		puts = append(puts, cluster.Record{Part: fmt.Sprint(i), Value: text("v")})
	}
	for _, identity := range []string{"a", "b", "c"} {
		s.must(shard, cluster.Commit{
			Entity: cluster.Entity{Kind: "k", Identity: identity}, State: text(identity), Puts: puts,
		})
	}
	s.listed(shard, "k", "a", "b", "c")
}
