package replica_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ssod/cluster"
	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
)

// TestALogThatWentBackEndsTheEngine: a replica that lacks what its leader has
// from it cannot go on. Whoever runs the engine hears which, and nothing panics.
func TestALogThatWentBackEndsTheEngine(t *testing.T) {
	c := newCluster(t, 3)
	c.fill(1, 0, 5)
	leader, _ := c.leader(1)
	id := leader%3 + 1
	c.stop(id)
	old := vfs.NewMem()
	if ok, err := vfs.Clone(c.nodes[id].fs, old, "data", "data"); !ok || err != nil {
		t.Fatalf("copy the disk: %v, %v", ok, err)
	}
	c.start(id)
	c.fill(1, 5, 20)
	c.has(id, 1, 19)
	c.stop(id)
	c.nodes[id].fs = old
	failed := make(chan error, 1)
	c.startAs(id, func(cfg *replica.Config) { cfg.Fatal = func(err error) { failed <- err } })
	broken, ok := errors.AsType[*core.BrokenError](<-failed)
	if !ok || !broken.Known { // of shard 1, or of shard 0 if a leader was elected there meanwhile
		t.Errorf("got %v, want a BrokenError of a known shard", broken)
	}
}

// TestAMuteEngineCountsForNothing: what a node does not say yet makes no
// majority.
func TestAMuteEngineCountsForNothing(t *testing.T) {
	c := newCluster(t, 3)
	c.fill(0, 0, 1)
	c.fill(1, 0, 1)
	leader, _ := c.leader(1)
	mute, other := leader%3+1, (leader+1)%3+1
	c.stop(mute)
	c.startAs(mute, func(cfg *replica.Config) { cfg.Voice = replica.Mute })
	c.stop(other)
	c.refuses(0)
	c.refuses(1)
	if v, ok := c.engine(mute).Vouch(1); ok {
		t.Errorf("it vouches: %+v", v)
	}
	c.engine(mute).Speak(replica.MetaOnly)
	c.fill(0, 1, 2)
	c.refuses(1)
	c.engine(mute).Speak(replica.Free)
	c.fill(1, 1, 2)
}

// refuses checks that nothing can be committed to a shard.
func (c *testCluster) refuses(id core.ShardID) {
	c.Helper()
	for n := range c.nodes {
		e := c.engine(n)
		if e == nil {
			continue
		}
		ctx, cancel := context.WithTimeout(c.Context(), 200*time.Millisecond)
		if shard, leads := e.Lead(id); leads && shard.Commit(ctx, cluster.Commit{Entity: entity(1000)}) == nil {
			c.Errorf("shard %d: node %d has committed something", id, n)
		}
		cancel()
	}
}
