package shardtest

import (
	"context"
	"errors"
	"maps"
	"strings"

	"ssod/cluster"
	"ssod/persistence"
)

// isOnly checks that err is exactly one of the ways a commit can fail.
func (s *suite) isOnly(err, want error) {
	s.Helper()
	for _, e := range []error{cluster.ErrRejected, cluster.ErrRefused, cluster.ErrUnknown} {
		if errors.Is(err, e) != (e == want) {
			s.Fatalf("got %v, want %v and nothing else", err, want)
		}
	}
}

func (s *suite) limits() {
	long := func(n int) string { return strings.Repeat("x", n) }
	entity := func(kind, identity int) cluster.Entity {
		return cluster.Entity{Kind: long(kind), Identity: long(identity)}
	}
	big := make([]byte, persistence.MaxValue+1)
	bad := map[string]cluster.Commit{
		"no kind":             {Entity: entity(0, 1)},
		"long kind":           {Entity: entity(persistence.MaxKind+1, 1)},
		"no identity":         {Entity: entity(1, 0)},
		"long identity":       {Entity: entity(1, persistence.MaxIdentity+1)},
		"large state":         {Entity: alice, State: big},
		"no part":             {Entity: alice, Puts: []cluster.Record{{Part: ""}}},
		"long part":           {Entity: alice, Deletes: []string{long(persistence.MaxPart + 1)}},
		"large record":        {Entity: alice, Puts: []cluster.Record{{Part: "p", Value: big}}},
		"large outcome":       {Entity: alice, Outcomes: []cluster.Outcome{{Result: big}}},
		"removal of nothing":  {Entity: alice, Remove: true},
		"removal with a put":  {Entity: alice, BaseRev: 1, Remove: true, Puts: []cluster.Record{{Part: "p"}}},
		"removal and a state": {Entity: alice, BaseRev: 1, Remove: true, State: text("s")},
	}
	maps.Copy(bad, badEvents())
	shard := s.lead(1)
	for name, c := range bad {
		err := shard.Commit(s.Context(), c)
		if !errors.Is(err, cluster.ErrRefused) {
			s.Errorf("%s: got %v, want ErrRefused", name, err)
		}
	}
	s.must(shard, cluster.Commit{
		Entity: entity(persistence.MaxKind, persistence.MaxIdentity), State: big[1:],
		Puts: []cluster.Record{{Part: long(persistence.MaxPart), Value: big[1:]}},
	})
}

func (s *suite) context() {
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	shard := s.lead(1)
	s.isOnly(shard.Commit(ctx, cluster.Commit{Entity: alice}), cluster.ErrRefused)
	s.equal("head", s.head(shard, alice), cluster.Head{})
	if err := shard.ReadBarrier(ctx); !errors.Is(err, context.Canceled) {
		s.Errorf("barrier: got %v, want context.Canceled", err)
	}
	s.equal("barrier", shard.ReadBarrier(s.Context()), nil)
}

func (s *suite) lost() {
	shard := s.lead(1)
	s.must(shard, cluster.Commit{Entity: alice})
	told := map[cluster.ShardID]bool{}
	stop := s.shards.Watch(func(id cluster.ShardID) { told[id] = true })
	s.impl.Lose(s.shards)
	stop()
	select {
	case <-shard.Lost():
	default:
		s.Error("the handle is not lost")
	}
	s.isOnly(shard.Commit(s.Context(), cluster.Commit{Entity: alice, BaseRev: 1}), cluster.ErrRefused)
	if err := shard.ReadBarrier(s.Context()); !errors.Is(err, cluster.ErrLost) {
		s.Errorf("barrier: got %v, want ErrLost", err)
	}
	if _, ok := s.shards.Lead(1); ok {
		s.Error("the shard is still led")
	}
	if _, ok := s.shards.Owner(1); ok {
		s.Error("the shard still has an owner")
	}
	if !told[1] || !told[cluster.MetaShard] {
		s.Errorf("told of %v, want all shards", told)
	}
}

func (s *suite) shardsAreNumbered() {
	count := s.shards.Count()
	if count < 4 {
		s.Fatalf("got %d shards, want at least 4", count)
	}
	for id := range cluster.ShardID(count + 1) {
		shard := s.lead(id)
		owner, ok := s.shards.Owner(id)
		if shard.ID() != id || !ok || owner.Term != shard.Term() || owner.Term == 0 {
			s.Errorf("shard %d: got id %d, term %d, owner %v %v", id, shard.ID(), shard.Term(), owner, ok)
		}
	}
	if _, ok := s.shards.Lead(cluster.ShardID(count + 1)); ok {
		s.Error("a shard after the last is led")
	}
	if _, ok := s.shards.Owner(cluster.ShardID(count + 1)); ok {
		s.Error("a shard after the last has an owner")
	}
}
