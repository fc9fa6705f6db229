package actors_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ssod/actors"
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

// TestShardIsForEver pins where entities are stored: a change would lose them.
func TestShardIsForEver(t *testing.T) {
	tests := []struct {
		to   actors.Address
		want int
	}{
		{actors.Address{Kind: "profile", Identity: actors.Identity{"demo", "sso", "viewer"}}, 13},
		{actors.Address{Kind: "linkdirectory", Identity: actors.Identity{"demo"}}, 45},
	}
	for _, tt := range tests {
		if got := int(tt.to.Shard(64)); got != tt.want {
			t.Errorf("%v: got shard %d, want %d", tt.to, got, tt.want)
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
