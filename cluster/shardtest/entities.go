package shardtest

import (
	"fmt"

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

func (s *suite) entities() {
	shard := s.lead(1)
	s.put(shard, "k", "b", "a", "ab", "\xff", "c")
	s.put(shard, "ka", "x")
	s.put(s.lead(2), "k", "in another shard")
	s.equal("all", s.identities(shard, "k", "", 100), []string{"a", "b", "c", "\xff", "ab"})
	s.equal("after b", s.identities(shard, "k", "b", 100), []string{"c", "\xff", "ab"})
	s.equal("after one that is not there", s.identities(shard, "k", "bb", 100), []string{})
	s.equal("two after a", s.identities(shard, "k", "a", 2), []string{"b", "c"})
	s.equal("of another kind", s.identities(shard, "ka", "", 100), []string{"x"})
	s.equal("of no kind", s.identities(shard, "z", "", 100), []string{})
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
	s.equal("all", s.identities(shard, "k", "", 100), []string{"a", "b", "c"})
	s.equal("after a", s.identities(shard, "k", "a", 100), []string{"b", "c"})
}
