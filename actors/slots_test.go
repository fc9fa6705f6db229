package actors_test

import (
	"errors"
	"sync/atomic"
	"testing"

	"ssod/actors"
	"ssod/cluster"
	"ssod/cluster/faulty"
)

// TestEntitiesBelongWhereTheSlotsSay: what an entity is asked is decided on the shard
// that has its slot, and on none as long as the node does not know which.
func TestEntitiesBelongWhereTheSlotsSay(t *testing.T) {
	node := faulty.New(faulty.Options{Shards: 2}).Node("a:1")
	var slots atomic.Pointer[cluster.Slots]
	r := start(t, node, &probe{}, func(c *actors.Config) { c.Slots = slots.Load })
	to := address("x")
	if _, err := r.Ask(t.Context(), to, request(1), 0, add(1)); !errors.Is(err, actors.ErrUnavailable) {
		t.Errorf("nobody knows where it belongs: got %v, want %v", err, actors.ErrUnavailable)
	}
	r.Tell(to, request(2), 0, add(1)) // is lost
	slot := to.Entity().Slot()
	for shard := cluster.ShardID(1); shard <= 2; shard++ {
		division, err := cluster.NewSlots([]cluster.SlotRange{
			{First: 0, Last: slot - 1, Shard: 3 - shard}, {First: slot, Last: slot, Shard: shard}, {First: slot + 1, Last: 0xffff, Shard: 3 - shard},
		}, 2)
		if err != nil {
			t.Fatal(err)
		}
		slots.Store(division)
		if got := total(ask(t, r, to, request(2+int(shard)), add(1))); got != 1 {
			t.Errorf("shard %d: got %d, want 1", shard, got)
		}
		handle, _ := node.Lead(shard)
		if h, ok, err := handle.Head(to.Entity()); !ok || h.Rev != 1 || err != nil {
			t.Errorf("shard %d has it as %v %v %v", shard, h, ok, err)
		}
	}
}
