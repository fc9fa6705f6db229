package cluster

import (
	"errors"
	"testing"

	"ssod/persistence"
)

// TestSlotsAreDivided: however many shards there are, every slot belongs to one, and
// none has more than one slot more than another.
func TestSlotsAreDivided(t *testing.T) {
	for _, shards := range []int{1, 2, 3, 64, 100, 1<<16 - 1} {
		s := DivideSlots(shards)
		again, err := NewSlots(s.Ranges(), shards)
		if err != nil {
			t.Fatalf("%d shards: %v", shards, err)
		}
		counts := make([]int, shards+1)
		for slot := range persistence.Slots {
			at := s.Shard(Slot(slot))
			if counts[at]++; again.Shard(Slot(slot)) != at {
				t.Fatalf("%d shards: slot %d is in shard %d and %d", shards, slot, at, again.Shard(Slot(slot)))
			}
		}
		least, most := persistence.Slots/shards, (persistence.Slots+shards-1)/shards
		for id, n := range counts {
			if id == 0 && n != 0 || id > 0 && (n < least || n > most) {
				t.Fatalf("%d shards: shard %d has %d slots", shards, id, n)
			}
		}
	}
}

// TestSlotsOfAShardNeedNotLieTogether: a shard that was split and one that was merged.
func TestSlotsOfAShardNeedNotLieTogether(t *testing.T) {
	s, err := NewSlots([]SlotRange{{0x8000, 0xffff, 1}, {0x1000, 0x7fff, 2}, {0, 0x0fff, 1}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	for slot, want := range map[Slot]ShardID{0: 1, 0x0fff: 1, 0x1000: 2, 0x7fff: 2, 0x8000: 1, 0xffff: 1} {
		if got := s.Shard(slot); got != want {
			t.Errorf("slot %#x: got shard %d, want %d", slot, got, want)
		}
	}
}

func TestWhatIsNoDivisionOfTheSlots(t *testing.T) {
	for name, ranges := range map[string][]SlotRange{
		"nothing":             nil,
		"a gap at first":      {{1, 0xffff, 1}},
		"a gap":               {{0, 7, 1}, {9, 0xffff, 2}},
		"a slot too few":      {{0, 0xfffe, 1}},
		"a slot twice":        {{0, 7, 1}, {7, 0xffff, 2}},
		"a range backwards":   {{0, 7, 1}, {8, 7, 2}, {8, 0xffff, 1}},
		"the meta shard":      {{0, 0xffff, 0}},
		"a shard that is not": {{0, 0xffff, 3}},
	} {
		if s, err := NewSlots(ranges, 2); !errors.Is(err, ErrSlots) {
			t.Errorf("%s: got %v %v", name, s, err)
		}
	}
}
