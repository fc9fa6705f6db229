package shardtest

import (
	"time"

	"ssod/cluster"
	"ssod/persistence"
)

func (s *suite) outcomes() {
	shard := s.lead(1)
	request, other := cluster.RequestID{1}, cluster.RequestID{2}
	s.must(shard, cluster.Commit{Entity: alice, Outcomes: []cluster.Outcome{
		{Request: request, Step: 0, Result: text("zero")},
		{Request: request, Step: 1, Result: text("one")},
		{Request: other, Step: 0},
	}})
	s.equal("step 0", s.outcome(shard, alice, request, 0), "zero")
	s.equal("step 1", s.outcome(shard, alice, request, 1), "one")
	s.equal("empty", s.outcome(shard, alice, other, 0), "")
	s.equal("another step", s.outcome(shard, alice, request, 2), "none")
	s.equal("another entity", s.outcome(shard, bob, request, 0), "none")
	s.equal("another shard", s.outcome(s.lead(2), alice, request, 0), "none")
}

func (s *suite) window() {
	shard := s.lead(1)
	s.must(shard, cluster.Commit{Entity: alice, Outcomes: []cluster.Outcome{{Result: text("first")}}})
	s.clock.set(Start.Add(persistence.OutcomeWindow - time.Second))
	s.must(shard, cluster.Commit{Entity: alice, BaseRev: 1})
	s.equal("within the window", s.outcome(shard, alice, cluster.RequestID{}, 0), "first")
	s.clock.set(Start.Add(persistence.OutcomeWindow + time.Second))
	s.must(shard, cluster.Commit{Entity: alice, BaseRev: 2})
	s.equal("after the window", s.outcome(shard, alice, cluster.RequestID{}, 0), "none")
}

func (s *suite) time() {
	shard := s.lead(1)
	s.equal("at first", shard.Now(), Start)
	s.must(shard, cluster.Commit{Entity: alice})
	s.clock.set(Start.Add(-time.Hour))
	s.equal("after the clock went back", shard.Now(), Start)
	s.equal("in a shard without commits", s.lead(2).Now(), Start.Add(-time.Hour))
	s.must(shard, cluster.Commit{Entity: alice, BaseRev: 1})
	s.equal("after another commit", shard.Now(), Start)
	s.clock.set(Start.Add(time.Hour))
	s.equal("after the clock went on", shard.Now(), Start.Add(time.Hour))
}
