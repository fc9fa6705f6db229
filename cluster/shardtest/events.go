package shardtest

import (
	"fmt"
	"strings"

	"ssod/cluster"
	"ssod/persistence"
)

// posted lists what waits for a receiver behind a sequence, or its dead letters.
func (s *suite) posted(shard cluster.Shard, space byte, receiver, after uint64) (keys []cluster.EventKey, bodies string) {
	s.Helper()
	var all []string
	err := shard.Events(space, receiver, after, func(k cluster.EventKey, body []byte) bool {
		keys, all = append(keys, k), append(all, string(body))
		return true
	})
	if err != nil {
		s.Fatal(err)
	}
	return keys, strings.Join(all, " ")
}

func (s *suite) waits(shard cluster.Shard, receiver uint64, want string) []cluster.EventKey {
	s.Helper()
	keys, got := s.posted(shard, cluster.EventQueue, receiver, 0)
	s.equal(fmt.Sprint("what waits for ", receiver), got, want)
	return keys
}

func (s *suite) letters(shard cluster.Shard, receiver uint64, want string) []cluster.EventKey {
	s.Helper()
	keys, got := s.posted(shard, cluster.EventDead, receiver, 0)
	s.equal(fmt.Sprint("dead letters for ", receiver), got, want)
	return keys
}

func event(receiver uint64, body string) cluster.Event {
	return cluster.Event{Receiver: receiver, Body: text(body)}
}

// eventsWait: events come with the commit that they tell of or not at all, and are read in
// the order of commits.
func (s *suite) eventsWait() {
	shard := s.lead(1)
	before := shard.Posted()
	s.must(shard, cluster.Commit{Entity: alice, Events: []cluster.Event{event(2, "a"), event(1, "b"), event(2, "c")}})
	s.isOnly(shard.Commit(s.Context(), cluster.Commit{Entity: alice, Events: []cluster.Event{event(2, "never")}}), cluster.ErrRejected)
	s.must(shard, cluster.Commit{Entity: bob, Events: []cluster.Event{event(2, "d")}})
	s.must(shard, cluster.Commit{Entity: alice, BaseRev: 1, Remove: true, Events: []cluster.Event{event(2, "e")}})
	if shard.Posted() == before {
		s.Error("events were posted, and nothing shows it")
	}
	s.waits(shard, 1, "b")
	keys := s.waits(shard, 2, "a c d e")
	_, rest := s.posted(shard, cluster.EventQueue, 2, keys[1].Sequence())
	s.equal("behind the second", rest, "d e")
	receivers, err := shard.Receivers(cluster.EventQueue)
	s.equal("receivers", fmt.Sprint(receivers, err), "[1 2] <nil>")
	s.waits(s.lead(2), 2, "")
}

// eventsAreMarked: a mark changes what waits, once, and says nothing of entities.
func (s *suite) eventsAreMarked() {
	shard := s.lead(1)
	s.must(shard, cluster.Commit{Entity: alice, Events: []cluster.Event{event(1, "a"), event(1, "b"), event(1, "c")}})
	keys := s.waits(shard, 1, "a b c")
	s.must(shard, cluster.Commit{
		Marks:  []cluster.Mark{{Key: keys[0]}, {Key: keys[1], Fate: cluster.Dead, Body: text("b is dead")}},
		Events: []cluster.Event{event(1, "of the shard")},
	})
	s.waits(shard, 1, "c of the shard")
	dead := s.letters(shard, 1, "b is dead")
	s.must(shard, cluster.Commit{Marks: []cluster.Mark{{Key: keys[0], Fate: cluster.Queued, Body: text("again")}}})
	s.waits(shard, 1, "c of the shard") // what was delivered does not come back
	again := cluster.Commit{Marks: []cluster.Mark{{Key: dead[0], Fate: cluster.Queued, Body: text("b")}}}
	s.must(shard, again)
	s.must(shard, again)
	s.waits(shard, 1, "c of the shard b")
	s.letters(shard, 1, "")
	s.equal("head", s.head(shard, alice).Rev, uint64(1))
}

// eventsAreForgotten with their entity, and no late mark brings them back.
func (s *suite) eventsAreForgotten() {
	shard := s.lead(1)
	s.must(shard, cluster.Commit{Entity: alice, Events: []cluster.Event{event(1, "a"), event(1, "b")}})
	s.must(shard, cluster.Commit{Entity: bob, Events: []cluster.Event{event(1, "of another")}})
	keys := s.waits(shard, 1, "a b of another")
	s.must(shard, cluster.Commit{Marks: []cluster.Mark{{Key: keys[0], Fate: cluster.Dead, Body: text("a")}}})
	dead := s.letters(shard, 1, "a")
	s.must(shard, cluster.Commit{Entity: alice, BaseRev: 1, Remove: true, Forget: true})
	s.waits(shard, 1, "of another")
	s.letters(shard, 1, "")
	s.must(shard, cluster.Commit{Marks: []cluster.Mark{
		{Key: keys[1], Fate: cluster.Dead, Body: text("b")}, {Key: dead[0], Fate: cluster.Queued, Body: text("a")},
	}})
	s.waits(shard, 1, "of another")
	s.letters(shard, 1, "")
	s.must(shard, cluster.Commit{Entity: alice, Events: []cluster.Event{event(1, "after that")}})
	s.waits(shard, 1, "of another after that")
}

// badEvents are commits that are refused.
func badEvents() map[string]cluster.Commit {
	key := persistence.NewEventKey(cluster.EventQueue, 1, 1, "entity")
	large := make([]byte, cluster.MaxEvent+1)
	marks := func(ms ...cluster.Mark) cluster.Commit { return cluster.Commit{Marks: ms} }
	return map[string]cluster.Commit{
		"empty event":           {Entity: alice, Events: []cluster.Event{{Receiver: 1}}},
		"large event":           {Entity: alice, Events: []cluster.Event{{Receiver: 1, Body: large}}},
		"marks and an entity":   {Entity: alice, Marks: []cluster.Mark{{Key: key}}},
		"mark without a key":    marks(cluster.Mark{}),
		"mark of another space": marks(cluster.Mark{Key: "e" + key[1:]}),
		"mark with a long key":  marks(cluster.Mark{Key: key + cluster.EventKey(large)}),
		"unknown fate":          marks(cluster.Mark{Key: key, Fate: 3, Body: text("b")}),
		"delivered with a body": marks(cluster.Mark{Key: key, Body: text("b")}),
		"dead without a body":   marks(cluster.Mark{Key: key, Fate: cluster.Dead}),
		"marks and a state":     {State: text("s"), Marks: []cluster.Mark{{Key: key}}},
	}
}
