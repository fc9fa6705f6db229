package shardtest

import (
	"fmt"

	"github.com/google/go-cmp/cmp"

	"ssod/cluster"
)

var (
	alice = cluster.Entity{Kind: "profile", Identity: "alice"}
	bob   = cluster.Entity{Kind: "profile", Identity: "bob"}
)

func text(s string) []byte { return []byte(s) }

func (s *suite) equal(what string, got, want any) {
	s.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		s.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func (s *suite) readBack() {
	shard := s.lead(1)
	s.equal("head before", s.head(shard, alice), cluster.Head{})
	s.must(shard, cluster.Commit{Entity: alice, Schema: 7, State: text("one")})
	s.equal("first head", s.head(shard, alice), cluster.Head{Rev: 1, Schema: 7, State: text("one")})
	s.must(shard, cluster.Commit{Entity: alice, BaseRev: 1, Schema: 8})
	s.equal("second head", s.head(shard, alice), cluster.Head{Rev: 2, Schema: 8, State: []byte{}})
	s.equal("in another shard", s.head(s.lead(2), alice), cluster.Head{})
}

func (s *suite) callersMemory() {
	shard := s.lead(1)
	state, value, result := text("state"), text("value"), text("result")
	s.must(shard, cluster.Commit{
		Entity: alice, State: state, Puts: []cluster.Record{{Part: "p", Value: value}},
		Outcomes: []cluster.Outcome{{Result: result}},
	})
	for _, b := range [][]byte{state, value, result} {
		clear(b)
	}
	h := s.head(shard, alice)
	s.equal("state", string(h.State), "state")
	s.equal("records", s.recordsOf(shard, alice), []string{"p=value"})
	s.equal("outcome", s.outcome(shard, alice, cluster.RequestID{}, 0), "result")
	clear(h.State) // what is read belongs to its reader
	s.equal("state read again", string(s.head(shard, alice).State), "state")
}

func (s *suite) rejected() {
	shard := s.lead(1)
	s.must(shard, cluster.Commit{Entity: alice, State: text("one")})
	for _, base := range []uint64{0, 2, 99} {
		s.clock.set(s.clock.Now().Add(1000))
		err := shard.Commit(s.Context(), cluster.Commit{
			Entity: alice, BaseRev: base, State: text("two"),
			Puts:     []cluster.Record{{Part: "p", Value: text("v")}},
			Outcomes: []cluster.Outcome{{Request: cluster.RequestID{1}, Result: text("r")}},
		})
		s.isOnly(err, cluster.ErrRejected)
	}
	s.equal("head", s.head(shard, alice), cluster.Head{Rev: 1, State: text("one")})
	s.equal("records", s.recordsOf(shard, alice), []string{})
	s.equal("outcome", s.outcome(shard, alice, cluster.RequestID{1}, 0), "none")
}

func (s *suite) removed() {
	shard := s.lead(1)
	records := []cluster.Record{{Part: "a", Value: text("1")}, {Part: "b", Value: text("2")}}
	s.must(shard, cluster.Commit{Entity: alice, Puts: records})
	bob := cluster.Entity{Kind: "profile", Identity: "bobby"} // begins like another
	s.must(shard, cluster.Commit{Entity: bob, Puts: records})
	s.must(shard, cluster.Commit{
		Entity: alice, BaseRev: 1, Remove: true,
		Outcomes: []cluster.Outcome{{Request: cluster.RequestID{1}, Result: text("gone")}},
	})
	s.equal("head", s.head(shard, alice), cluster.Head{})
	s.equal("records", s.recordsOf(shard, alice), []string{})
	s.equal("outcome", s.outcome(shard, alice, cluster.RequestID{1}, 0), "gone")
	s.equal("neighbour", s.recordsOf(shard, bob), []string{"a=1", "b=2"})
	s.must(shard, cluster.Commit{Entity: alice, Schema: 2})
	s.equal("records after it came back", s.recordsOf(shard, alice), []string{})
}

func (s *suite) forgotten() {
	shard := s.lead(1)
	answered := func(r byte, n int) (all []cluster.Outcome) {
		for step := range n {
			all = append(all, cluster.Outcome{Request: cluster.RequestID{r}, Step: uint32(step), Result: text("told")})
		}
		return all
	}
	bob := cluster.Entity{Kind: "profile", Identity: "bobby"} // begins like another
	s.must(shard, cluster.Commit{Entity: alice, Puts: []cluster.Record{{Part: "a", Value: text("1")}}, Outcomes: answered(1, 30)})
	s.must(shard, cluster.Commit{Entity: bob, Outcomes: answered(1, 30)})
	s.must(shard, cluster.Commit{Entity: alice, BaseRev: 1, Outcomes: answered(2, 1)})
	s.must(shard, cluster.Commit{Entity: alice, BaseRev: 2, State: text("goes on"), Forget: true, Outcomes: answered(4, 1)})
	s.equal("outcome of an earlier commit", s.outcome(shard, alice, cluster.RequestID{2}, 0), "none")
	s.equal("its own", s.outcome(shard, alice, cluster.RequestID{4}, 0), "told")
	s.must(shard, cluster.Commit{Entity: alice, BaseRev: 3, Remove: true, Forget: true, Outcomes: answered(3, 1)})
	s.equal("head", s.head(shard, alice), cluster.Head{})
	s.equal("records", s.recordsOf(shard, alice), []string{})
	for r := range byte(2) {
		for step := range uint32(30) {
			s.equal("outcome", s.outcome(shard, alice, cluster.RequestID{r + 1}, step), "none")
		}
	}
	s.equal("its own outcome", s.outcome(shard, alice, cluster.RequestID{3}, 0), "told")
	s.equal("a neighbour's outcome", s.outcome(shard, bob, cluster.RequestID{1}, 29), "told")
	s.must(shard, cluster.Commit{Entity: alice, Outcomes: answered(1, 1)})
	s.equal("outcome after it came back", s.outcome(shard, alice, cluster.RequestID{1}, 0), "told")
}

func (s *suite) records() {
	shard := s.lead(1)
	var puts []cluster.Record
	for _, part := range []string{"b", "\xff\xff", "a", "aa", "\x00"} {
		puts = append(puts, cluster.Record{Part: part, Value: text("1")})
	}
	s.must(shard, cluster.Commit{Entity: alice, Puts: puts})
	s.equal("all", s.recordsOf(shard, alice), []string{"\x00=1", "a=1", "aa=1", "b=1", "\xff\xff=1"})
	s.must(shard, cluster.Commit{
		Entity: alice, BaseRev: 1, Puts: []cluster.Record{{Part: "aa", Value: text("2")}, {Part: "c"}},
		Deletes: []string{"b", "\xff\xff", "never there"},
	})
	s.equal("changed", s.recordsOf(shard, alice), []string{"\x00=1", "a=1", "aa=2", "c="})
	var first []string
	err := shard.Records(alice, func(part, _ []byte) bool {
		first = append(first, string(part))
		return len(first) < 2
	})
	s.equal("stopped", first, []string{"\x00", "a"})
	s.equal("stopped without an error", err, nil)
}

// neighbours have identities and kinds that are prefixes of one another.
func (s *suite) neighbours() {
	shard := s.lead(1)
	entities := []cluster.Entity{
		{Kind: "k", Identity: "a"},
		{Kind: "k", Identity: "ab"},
		{Kind: "k", Identity: "a\x00"},
		{Kind: "k", Identity: "\xff"},
		{Kind: "k", Identity: "\xff\xff"},
		{Kind: "ka", Identity: "b"},
	}
	for _, e := range entities {
		s.must(shard, cluster.Commit{Entity: e, Puts: []cluster.Record{{Part: "b", Value: text(e.Identity)}}})
	}
	for _, e := range entities {
		s.equal(fmt.Sprintf("records of %q", e), s.recordsOf(shard, e), []string{"b=" + e.Identity})
	}
	s.must(shard, cluster.Commit{Entity: entities[0], BaseRev: 1, Remove: true})
	for _, e := range entities[1:] {
		s.equal(fmt.Sprintf("records of %q after a removal", e), s.recordsOf(shard, e), []string{"b=" + e.Identity})
	}
}
