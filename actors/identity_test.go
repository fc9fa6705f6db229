package actors_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ssod/actors"
	"ssod/cluster"
)

func TestIdentityRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := actors.Identity(rapid.SliceOf(rapid.String()).Draw(t, "identity"))
		got, err := actors.DecodeIdentity(id.Encode())
		if err != nil || !slices.Equal(got, id) {
			t.Fatalf("%v: got %v, %v", id, got, err)
		}
	})
}

func TestIdentitiesDoNotCollide(t *testing.T) {
	seen := map[string]actors.Identity{}
	for _, id := range []actors.Identity{{"ab", "c"}, {"a", "bc"}, {"abc"}, {"abc", ""}, {"", "abc"}, {"a\x02bc"}} {
		if other, ok := seen[id.Encode()]; ok {
			t.Errorf("%v and %v have the same encoding", id, other)
		}
		seen[id.Encode()] = id
	}
}

// TestSlotIsForEver pins where entities are stored: a change would lose them.
func TestSlotIsForEver(t *testing.T) {
	tests := []struct {
		to    actors.Address
		slot  cluster.Slot
		shard cluster.ShardID // of 64
	}{
		{actors.Address{Kind: "profile", Identity: actors.Identity{"demo", "sso", "viewer"}}, 0x7e2d, 32},
		{actors.Address{Kind: "linkdirectory", Identity: actors.Identity{"demo"}}, 0x3ded, 16},
	}
	for _, tt := range tests {
		slot, shard := tt.to.Entity().Slot(), tt.to.Shard(cluster.DivideSlots(64))
		if slot != tt.slot || shard != tt.shard {
			t.Errorf("%v: got slot %#x and shard %d, want %#x and %d", tt.to, slot, shard, tt.slot, tt.shard)
		}
	}
}

func FuzzDecodeIdentity(f *testing.F) {
	f.Add("")
	f.Add(actors.Identity{"realm", "sso", "x"}.Encode())
	f.Add("\x80\x00")
	f.Add("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := actors.DecodeIdentity(s)
		if err == nil && id.Encode() != s {
			t.Errorf("%q decodes to %v, which encodes to %q", s, id, id.Encode())
		}
	})
}
