package placement_test

import (
	"slices"
	"testing"

	"ssod/cluster"
	"ssod/cluster/placement"
	"ssod/persistence"
)

// TestTheSlotsAreDividedWhenAClusterIsFounded, and what the table says of them holds
// from then on, whichever node leads and starts.
func TestTheSlotsAreDividedWhenAClusterIsFounded(t *testing.T) {
	c := newCluster(t)
	c.found("n1")
	c.join("n2", 1)
	c.divided(cluster.DivideSlots(testShards))

	other, err := cluster.NewSlots(rotated(cluster.DivideSlots(testShards).Ranges()), testShards)
	if err != nil {
		t.Fatal(err)
	}
	n1 := c.nodes[1]
	if err := n1.placement.Tables().Change(t.Context(), "slots", placement.EncodeSlots(other), nil); err != nil {
		t.Fatal(err)
	}
	c.divided(other)
	for _, n := range c.running() {
		c.restart(n, persistence.Boots{})
	}
	c.divided(other)
}

// rotated gives each range to the shard of the next.
func rotated(ranges []cluster.SlotRange) []cluster.SlotRange {
	first := ranges[0].Shard
	for i := range ranges[1:] {
		ranges[i].Shard = ranges[i+1].Shard
	}
	ranges[len(ranges)-1].Shard = first
	return ranges
}

// divided waits until all nodes have a division of the slots.
func (c *testCluster) divided(want *cluster.Slots) {
	c.Helper()
	for _, n := range c.running() {
		c.eventually(n.name+" knows the slots", func() bool {
			got := n.placement.Shards().Slots()
			return got != nil && slices.Equal(got.Ranges(), want.Ranges())
		})
	}
}

// TestATableOfSlotsThatIsNoneIsNotTakenOver: what was known stays.
func TestATableOfSlotsThatIsNoneIsNotTakenOver(t *testing.T) {
	c := newCluster(t)
	c.found("n1")
	c.divided(cluster.DivideSlots(testShards))
	tables := c.nodes[1].placement.Tables()
	for name, put := range map[string]map[string][]byte{
		"not a number":  {"x": nil},
		"no such shard": {"60000": placement.EncodeSlots(cluster.DivideSlots(1))["00001"]},
		"garbage":       {"00001": {0xff}},
	} {
		if err := tables.Change(t.Context(), "slots", put, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := placement.Divide(t.Context(), tables, testShards); err == nil {
			t.Errorf("%s: taken over", name)
		}
	}
	c.divided(cluster.DivideSlots(testShards))
}
