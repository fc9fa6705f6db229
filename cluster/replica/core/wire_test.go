package core

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"
)

// maybe draws a value or none.
func maybe[T any](t *rapid.T, what string, g *rapid.Generator[T]) *T {
	return rapid.Ptr(g, true).Draw(t, what)
}

func drawBytes(t *rapid.T, what string) []byte {
	if rapid.Bool().Draw(t, "no "+what) {
		return nil
	}
	return append([]byte{}, rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, what)...)
}

// drawMessage draws a message that another node might send, and many that it would
// not.
func drawMessage(t *rapid.T) *pb.Message {
	number := rapid.OneOf(rapid.Uint64Range(0, 5), rapid.Uint64())
	m := &pb.Message{
		Type: maybe(t, "type", rapid.SampledFrom([]pb.MessageType{
			pb.MsgApp, pb.MsgAppResp, pb.MsgHeartbeat, pb.MsgHeartbeatResp, pb.MsgVote, pb.MsgTimeoutNow,
		})),
		To: maybe(t, "to", number), From: maybe(t, "from", number), Term: maybe(t, "term", number),
		LogTerm: maybe(t, "log term", number), Index: maybe(t, "index", number), Commit: maybe(t, "commit", number),
		RejectHint: maybe(t, "hint", number), Reject: maybe(t, "reject", rapid.Bool()), Context: drawBytes(t, "context"),
	}
	for i := range rapid.Uint64Range(0, 4).Draw(t, "entries") {
		e := &pb.Entry{Term: m.Term, Index: new(m.GetIndex() + 1 + i), Data: drawBytes(t, "data")}
		if rapid.Bool().Draw(t, "odd") {
			e.Term, e.Index = maybe(t, "entry's term", number), maybe(t, "entry's index", number)
			e.Type = maybe(t, "entry's type", rapid.SampledFrom([]pb.EntryType{pb.EntryNormal, pb.EntryConfChange, pb.EntryConfChangeV2}))
		}
		m.Entries = append(m.Entries, e)
	}
	if rapid.IntRange(0, 9).Draw(t, "rare") == 0 {
		m.Vote = maybe(t, "vote", number)
		m.Snapshot = &pb.Snapshot{Data: drawBytes(t, "snapshot")}
	}
	return m
}

// TestAFrameSaysWhatProtobufSays, whatever is in the messages.
func TestAFrameSaysWhatProtobufSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var es []Envelope
		for range rapid.IntRange(0, 5).Draw(t, "messages") {
			es = append(es, Envelope{ShardID(rapid.Uint16().Draw(t, "shard")), drawMessage(t)})
		}
		frame, err := AppendFrame(nil, es)
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeFrame(frame)
		if err != nil {
			t.Fatal(err)
		}
		clear(frame) // the messages have a memory of their own
		if len(got) != len(es) {
			t.Fatalf("got %d messages, want %d", len(got), len(es))
		}
		for i, e := range es {
			b, err := proto.Marshal(e.Message)
			if err != nil {
				t.Fatal(err)
			}
			want := &pb.Message{}
			if err := proto.Unmarshal(b, want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got[i].Message, protocmp.Transform()); diff != "" || got[i].Shard != e.Shard {
				t.Fatalf("shard %d, want %d: -want +got\n%s", got[i].Shard, e.Shard, diff)
			}
		}
	})
}

// TestEntriesOfAMessageShareNothingElse: what stays in a log keeps no frame alive,
// and appending to one entry does not reach the next.
func TestEntriesOfAMessageShareNothingElse(t *testing.T) {
	m := &pb.Message{Type: pb.MsgApp.Enum(), To: new(uint64(1)), From: new(uint64(2)), Term: new(uint64(3)), Index: new(uint64(4))}
	for i := range uint64(2) {
		m.Entries = append(m.Entries, &pb.Entry{Term: m.Term, Index: new(5 + i), Data: []byte{byte(i), 1, 2}})
	}
	frame, err := AppendFrame(nil, []Envelope{{1, m}})
	if err != nil {
		t.Fatal(err)
	}
	es, err := DecodeFrame(frame)
	if err != nil {
		t.Fatal(err)
	}
	first, second := es[0].Message.Entries[0].Data, es[0].Message.Entries[1].Data
	_ = append(first, 9)
	if !bytes.Equal(second, []byte{1, 1, 2}) {
		t.Errorf("the second entry is %v", second)
	}
}

// TestBadFrames are refused with an error that says what they are.
func TestBadFrames(t *testing.T) {
	app, err := AppendFrame(nil, []Envelope{{1, &pb.Message{
		Type: pb.MsgApp.Enum(), To: new(uint64(1)), From: new(uint64(2)), Term: new(uint64(3)),
		Entries: []*pb.Entry{{Term: new(uint64(3)), Index: new(uint64(1)), Data: []byte("data")}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		frame []byte
		want  error
	}{
		"empty":                      {nil, ErrEntryFormat},
		"of the first version":       {[]byte{1, 1, 0}, ErrFrameVersion},
		"of a later version":         {[]byte{0x80, 0}, ErrFrameVersion},
		"without a count":            {[]byte{2}, ErrEntryFormat},
		"more messages than bytes":   {[]byte{2, 9, 1, formAppResp}, ErrEntryFormat},
		"an unknown form":            {[]byte{2, 1, 1, forms, 0, 1, 1}, ErrEntryFormat},
		"a shard that cannot be":     {[]byte{2, 1, 0x80, 0x80, 4, formAppResp, 0, 1, 1}, ErrEntryFormat},
		"an unknown field":           {append([]byte{2, 1, 1, formAppResp}, append(binary.AppendUvarint(nil, hasAll+1), 1, 1)...), ErrEntryFormat},
		"rejection of nothing":       {append([]byte{2, 1, 1, formAppResp}, append(binary.AppendUvarint(nil, rejects), 1, 1)...), ErrEntryFormat},
		"no entries although":        {[]byte{2, 1, 1, formApp, hasEntries, 1, 1, 0}, ErrEntryFormat},
		"more entries than bytes":    {[]byte{2, 1, 1, formApp, hasEntries, 1, 1, 50, 0}, ErrEntryFormat},
		"an entry's unknown field":   {[]byte{2, 1, 1, formApp, hasEntries, 1, 1, 1, entryHasAll + 1}, ErrEntryFormat},
		"an entry longer than it is": {[]byte{2, 1, 1, formApp, hasEntries, 1, 1, 1, entryHasData, 9, 0}, ErrEntryFormat},
		"not protobuf":               {[]byte{2, 1, 1, formProto, 2, 0xff, 0xff}, ErrEntryFormat},
		"something behind it":        {append(bytes.Clone(app), 0), ErrEntryFormat},
	} {
		if es, err := DecodeFrame(tt.frame); !errors.Is(err, tt.want) || es != nil {
			t.Errorf("%s: got %v, %v, want %v", name, es, err, tt.want)
		}
	}
	for n := range len(app) {
		if _, err := DecodeFrame(app[:n]); !errors.Is(err, ErrEntryFormat) {
			t.Errorf("cut after %d bytes: got %v, want %v", n, err, ErrEntryFormat)
		}
	}
}

// FuzzDecodeFrame: whatever is taken says the same when it is sent on.
func FuzzDecodeFrame(f *testing.F) {
	for _, kind := range []pb.MessageType{pb.MsgVote, pb.MsgApp, pb.MsgAppResp, pb.MsgHeartbeat, pb.MsgHeartbeatResp} {
		m := &pb.Message{
			Type: kind.Enum(), To: new(uint64(1) << 32), From: new(uint64(2)), Term: new(uint64(3)), Index: new(uint64(4)),
			Reject: new(true), RejectHint: new(uint64(5)), Context: []byte("12345678"),
		}
		if kind == pb.MsgApp {
			m.Entries = []*pb.Entry{{Term: m.Term, Index: new(uint64(5)), Data: []byte("x")}, {Term: new(uint64(9)), Index: new(uint64(9)), Type: pb.EntryConfChangeV2.Enum()}}
		}
		b, err := AppendFrame(nil, []Envelope{{1, m}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		es, err := DecodeFrame(b)
		if err != nil {
			if !errors.Is(err, ErrEntryFormat) && !errors.Is(err, ErrFrameVersion) || es != nil {
				t.Errorf("got %v and %v", es, err)
			}
			return
		}
		again, err := AppendFrame(nil, es)
		if err != nil {
			t.Fatal(err)
		}
		same, err := DecodeFrame(again)
		if diff := cmp.Diff(es, same, protocmp.Transform()); err != nil || diff != "" {
			t.Errorf("sent on: %v\n%s", err, diff)
		}
	})
}
