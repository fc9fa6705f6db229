package core

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/persistence"
)

var sample = persistence.Commit{
	Entity: Entity{Kind: "profile", Identity: "acme\x00viewer"}, BaseRev: 300, Schema: 7, State: []byte("state"),
	Puts:     []persistence.Record{{Part: "a", Value: []byte("1")}, {Part: "b"}},
	Deletes:  []string{"c", "d"},
	Outcomes: []persistence.Outcome{{Request: persistence.RequestID{1, 2, 3}, Step: 4, Result: []byte("done")}, {}},
}

// proposals are those of commits that are encoded.
func proposals(commits ...[]byte) []*Proposal {
	ps := make([]*Proposal, len(commits))
	for i, c := range commits {
		ps[i] = &Proposal{Data: c}
	}
	return ps
}

func TestEntryRoundTrip(t *testing.T) {
	removal := persistence.Commit{Entity: sample.Entity, BaseRev: 1, Remove: true}
	forgotten := persistence.Commit{Entity: sample.Entity, BaseRev: 1, Remove: true, Forget: true}
	b := packEntry(nil, entryVersion, 5, 1_700_000_000_000, proposals(EncodeCommit(&sample), EncodeCommit(&removal), EncodeCommit(&forgotten)))
	got, err := DecodeEntry(b)
	if err != nil {
		t.Fatal(err)
	}
	want := Entry{ProposerTerm: 5, Time: 1_700_000_000_000, Commits: []persistence.Commit{sample, removal, forgotten}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// eventfulSamples are commits with events, and with marks.
func eventfulSamples() []persistence.Commit {
	with := sample
	with.Events = []persistence.Event{{Receiver: 1 << 63, Body: []byte("event")}, {Receiver: 2, Body: []byte("another")}}
	key := persistence.NewEventKey(persistence.EventQueue, 2, persistence.EventSequence(9, 1), "entity")
	return []persistence.Commit{with, {
		Events: []persistence.Event{{Receiver: 3, Body: []byte("the shard's own")}},
		Marks:  []persistence.Mark{{Key: key}, {Key: key, Fate: persistence.Dead, Body: []byte("letter")}},
	}}
}

// TestEventsHaveAVersion: commits with events and marks are read back, and only from entries
// that a version before does not take for something else.
func TestEventsHaveAVersion(t *testing.T) {
	want := eventfulSamples()
	var encoded [][]byte
	for i := range want {
		b, own := Encode(&want[i])
		if diff := cmp.Diff(&want[i], own); diff != "" {
			t.Errorf("what Encode returns (-want +got):\n%s", diff)
		}
		encoded = append(encoded, b)
	}
	got, err := DecodeEntry(packEntry(nil, entryAt(eventsLevel), 5, 6, proposals(encoded...)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.Commits); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := DecodeEntry(packEntry(nil, entryAt(eventsLevel-1), 5, 6, proposals(encoded...))); !errors.Is(err, ErrEntryFormat) {
		t.Errorf("events in an entry of the level before: got %v, want %v", err, ErrEntryFormat)
	}
}

func TestDecodeEntryRefuses(t *testing.T) {
	good := packEntry(nil, entryVersion, 5, 6, proposals(EncodeCommit(&sample)))
	tests := map[string]struct {
		b    []byte
		want error
	}{
		"nothing":                {nil, ErrEntryFormat},
		"a newer version":        {append([]byte{0x80}, good[1:]...), ErrEntryVersion},
		"an end that is missing": {good[:len(good)-1], ErrEntryFormat},
		"something behind":       {append(bytes.Clone(good), 0), ErrEntryFormat},
		"a count without bytes":  {[]byte{1, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x0f}, ErrEntryFormat},
		"a long form of 1":       {[]byte{1, 0x81, 0, 1, 0}, ErrEntryFormat},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := DecodeEntry(tt.b); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// FuzzDecodeEntry: whatever comes in, the decoder returns; what it accepts has
// one encoding.
func FuzzDecodeEntry(f *testing.F) {
	f.Add(packEntry(nil, entryVersion, 5, 6, proposals(EncodeCommit(&sample), EncodeCommit(&persistence.Commit{}))))
	f.Add([]byte{1, 1, 1, 0})
	for _, c := range eventfulSamples() {
		f.Add(packEntry(nil, eventsVersion, 5, 6, proposals(EncodeCommit(&c))))
	}
	f.Add(packReset(5, 6))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := DecodeEntry(b)
		if err != nil {
			return
		}
		var commits [][]byte
		for i := range e.Commits {
			commits = append(commits, EncodeCommit(&e.Commits[i]))
		}
		again := packEntry(nil, b[0], e.ProposerTerm, e.Time, proposals(commits...))
		if e.Reset {
			again = packReset(e.ProposerTerm, e.Time)
		}
		if !bytes.Equal(again, b) {
			t.Errorf("decoded %x, which encodes to %x", b, again)
		}
	})
}

// TestFramesAreBounded: what a follower of many shards misses does not go into one
// frame, and nothing is left out or put twice.
func TestFramesAreBounded(t *testing.T) {
	const mib = 1 << 20
	var es []Envelope
	for shard, size := range []int{mib, 10, 2 * mib, 3 * mib, 6 * mib, 10, mib, 3 * mib} {
		es = append(es, Envelope{Shard: ShardID(shard), Message: &pb.Message{
			Type: pb.MsgApp.Enum(), Entries: []*pb.Entry{{Data: make([]byte, size)}},
		}})
	}
	var frames [][]ShardID
	for part := range Frames(es) {
		b, err := AppendFrame(nil, part)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 4*mib && len(part) > 1 {
			t.Errorf("%d messages in %d bytes", len(part), len(b))
		}
		var shards []ShardID
		for _, e := range part {
			shards = append(shards, e.Shard)
		}
		frames = append(frames, shards)
	}
	if want := [][]ShardID{{0, 1, 2}, {3}, {4}, {5, 6}, {7}}; !cmp.Equal(frames, want) {
		t.Errorf("shards in frames: got %v, want %v", frames, want)
	}
	for part := range Frames(nil) {
		t.Errorf("a frame for nothing: %v", part)
	}
}

// TestAnEncodedCommitHasItsOwnMemory, and is what its bytes say.
func TestAnEncodedCommitHasItsOwnMemory(t *testing.T) {
	for _, c := range []persistence.Commit{sample, {Entity: sample.Entity, BaseRev: 1, Remove: true}, {State: []byte{}}} {
		state := slices.Clone(c.State)
		c.State = slices.Clone(c.State)
		data, own := Encode(&c)
		clear(c.State)
		decoded, err := DecodeCommit(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(decoded, *own); diff != "" {
			t.Errorf("decoded and kept (-decoded +kept):\n%s", diff)
		}
		if !bytes.Equal(own.State, state) {
			t.Errorf("the state is %q after the caller used its memory again, want %q", own.State, state)
		}
	}
}
