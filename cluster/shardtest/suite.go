package shardtest

import (
	"sync"
	"testing"
	"time"

	"ssod/cluster"
)

// Start is the time that the clock of a suite begins with.
var Start = time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)

// Implementation opens what is tested.
type Implementation struct {
	// Open returns shards that this node leads; at least 4 entity shards.
	Open func(t *testing.T, clock func() time.Time) cluster.Shards
	// Lose ends the lead of all shards.
	Lose func(cluster.Shards)
}

// Run runs the suite.
func Run(t *testing.T, impl Implementation) {
	tests := []struct {
		name string
		f    func(*suite)
	}{
		{"a commit is read back", (*suite).readBack},
		{"a commit belongs to its caller again", (*suite).callersMemory},
		{"a commit on another revision leaves no trace", (*suite).rejected},
		{"a removal leaves only outcomes", (*suite).removed},
		{"what is forgotten leaves nothing", (*suite).forgotten},
		{"records come in order", (*suite).records},
		{"records of one entity are not those of another", (*suite).neighbours},
		{"entities are listed in parts", (*suite).entities},
		{"an entity with many records is one entity", (*suite).entitiesWithRecords},
		{"outcomes are kept by entity, request and step", (*suite).outcomes},
		{"outcomes are kept for the window", (*suite).window},
		{"time never goes back", (*suite).time},
		{"events wait in order", (*suite).eventsWait},
		{"events are marked once", (*suite).eventsAreMarked},
		{"events are forgotten with their entity", (*suite).eventsAreForgotten},
		{"limits are refused", (*suite).limits},
		{"an ended context is refused", (*suite).context},
		{"one of many commits on a revision wins", (*suite).race},
		{"many entities commit at once", (*suite).parallel},
		{"a lost shard refuses", (*suite).lost},
		{"shards are numbered", (*suite).shardsAreNumbered},
		{"any history agrees with a model", (*suite).model},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &suite{T: t, impl: impl, clock: &clock{now: Start}}
			s.shards = impl.Open(t, s.clock.Now)
			tt.f(s)
		})
	}
}

// suite is one run of one test.
type suite struct {
	*testing.T
	impl   Implementation
	clock  *clock
	shards cluster.Shards
}

func (s *suite) lead(id cluster.ShardID) cluster.Shard {
	s.Helper()
	shard, ok := s.shards.Lead(id)
	if !ok {
		s.Fatalf("shard %d is not led", id)
	}
	return shard
}

// must commits c to the shard.
func (s *suite) must(shard cluster.Shard, c cluster.Commit) {
	s.Helper()
	if err := shard.Commit(s.Context(), c); err != nil {
		s.Fatalf("commit of %v on revision %d: %v", c.Entity, c.BaseRev, err)
	}
}

// head returns the head of an entity, the zero head if there is none.
func (s *suite) head(shard cluster.Shard, e cluster.Entity) cluster.Head {
	s.Helper()
	h, ok, err := shard.Head(e)
	if err != nil {
		s.Fatal(err)
	}
	if ok != (h.Rev > 0) {
		s.Fatalf("head of %v: got revision %d and %v", e, h.Rev, ok)
	}
	return h
}

// recordsOf returns the records of an entity as "part=value".
func (s *suite) recordsOf(shard cluster.Shard, e cluster.Entity) []string {
	s.Helper()
	all := []string{}
	err := shard.Records(e, func(part, value []byte) bool {
		all = append(all, string(part)+"="+string(value))
		return true
	})
	if err != nil {
		s.Fatal(err)
	}
	return all
}

// outcome returns an outcome's result, "none" if there is none.
func (s *suite) outcome(shard cluster.Shard, e cluster.Entity, r cluster.RequestID, step uint32) string {
	s.Helper()
	result, ok, err := shard.Outcome(e, r, step)
	if err != nil {
		s.Fatal(err)
	}
	if !ok {
		return "none"
	}
	return string(result)
}

// clock is a clock that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}
