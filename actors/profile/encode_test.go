package profile

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/cluster"
)

func TestUnknownFieldsSurviveAChange(t *testing.T) {
	v := newViewer(t)
	phone := v.joined("phone")
	v.link(phone, "code")
	later := v.state.message()
	future := protowire.AppendTag(nil, 900, protowire.BytesType)
	future = protowire.AppendString(future, "written by a later version")
	for _, m := range []proto.Message{later, later.Members[0], later.Codes[0]} {
		m.ProtoReflect().SetUnknown(future)
	}
	v.state = fromMessage(later)

	v.joined("tv") // read, modify, write

	got := v.state.message()
	for _, m := range []proto.Message{got, got.Members[0], got.Codes[0]} {
		if unknown := m.ProtoReflect().GetUnknown(); string(unknown) != string(future) {
			t.Errorf("%s: unknown fields: got %q, want %q", m.ProtoReflect().Descriptor().Name(), unknown, future)
		}
	}
}

func TestEncodingKeepsEverything(t *testing.T) {
	v := newViewer(t)
	phone, tv := v.joined("phone"), v.joined("tv")
	v.link(phone, "first")
	v.link(tv, "second")
	v.redeem("tablet", "first")
	before := v.state.message()
	if diff := cmp.Diff(before, reload(t, v.state).message(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	if len(before.Codes) != 2 || before.Codes[0].UsedMs == 0 || len(before.IssuedMs) != 2 {
		t.Fatalf("the state lacks what the test is about: %v", before)
	}
	v.state = reload(t, v.state)
	if got := v.after(time.Second).redeem("tablet", "first").Failure; got != Failure_OK {
		t.Errorf("repeat after a restart: %v", got)
	}
}

func TestAnUnknownSchemaIsRefused(t *testing.T) {
	e := &entity{id: ID{"acme", "sso", "viewer"}.Address().Identity}
	if err := e.Load(later{}); !errors.Is(err, errSchema) {
		t.Errorf("got %v, want %v", err, errSchema)
	}
}

// later is a store that a later version wrote.
type later struct{ cluster.Reader }

func (later) Head(cluster.Entity) (cluster.Head, bool, error) {
	return cluster.Head{Rev: 1, Schema: schema + 1}, true, nil
}

func TestARestingProfileForgetsNothing(t *testing.T) {
	v := newViewer(t)
	phone, tv := v.joined("phone"), v.joined("tv")
	v.link(phone, "code")
	v.after(time.Minute).refresh(tv)
	want, lag := v.state.message(), time.Minute.Milliseconds()
	e := &entity{state: v.state}
	v.state.intend(v.next(), v.now)
	e.rest(v.now)
	if e.state == nil {
		t.Fatal("a profile with a code being reserved rests")
	}
	e.rest(v.now.Add(intentLife))
	if e.state != nil {
		t.Fatal("the profile does not rest")
	}
	e.wake()
	if diff := cmp.Diff(want, e.state.message(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	for _, m := range e.state.members {
		if got := m.lastSeen - m.storedSeen; got != lag {
			t.Errorf("%s: stored lastSeen lags by %d ms, want %d", m.device, got, lag)
		}
	}
}

// TestTheEncodingIsThatOfTheMessage: what is appended by hand is what protobuf
// would write, for every state.
func TestTheEncodingIsThatOfTheMessage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyState(t)
		want, err := proto.MarshalOptions{Deterministic: true}.Marshal(s.message())
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.encode()
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("got %x, %v; want %x", got, err, want)
		}
	})
}

func anyState(t *rapid.T) *state {
	text := rapid.StringN(0, 3, 700)
	unknown := rapid.SampledFrom([]string{"", string(protowire.AppendVarint(protowire.AppendTag(nil, 900, protowire.VarintType), 7))})
	did := rapid.Custom(func(t *rapid.T) (d [DidSize]byte) {
		copy(d[:], rapid.SliceOfN(rapid.Byte(), 0, DidSize).Draw(t, "did"))
		return d
	})
	number := rapid.OneOf(rapid.Just(int64(0)), rapid.Int64())
	return &state{
		members: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) member {
			return member{
				device: text.Draw(t, "device"), attributes: text.Draw(t, "attributes"), unknown: unknown.Draw(t, "unknown"),
				did: did.Draw(t, "did"), membership: number.Draw(t, "membership"), lastSeen: number.Draw(t, "seen"),
				kind: rapid.SampledFrom([]MemberType{0, 1, 2}).Draw(t, "kind"), implied: rapid.Bool().Draw(t, "implied"),
			}
		}), 0, 3).Draw(t, "members"),
		codes: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) code {
			return code{
				hash: text.Draw(t, "hash"), unknown: unknown.Draw(t, "unknown"), did: did.Draw(t, "did"), usedBy: did.Draw(t, "by"),
				notAfter: number.Draw(t, "until"), used: number.Draw(t, "used"), usedMembership: number.Draw(t, "number"),
			}
		}), 0, 3).Draw(t, "codes"),
		issued:         rapid.SliceOfN(number, 0, 3).Draw(t, "issued"),
		lastMembership: number.Draw(t, "last"), keepUntil: number.Draw(t, "keep"), unknown: unknown.Draw(t, "unknown"),
		logins: []*SharedLogin{{Login: &login.Login{Mvpd: "cable"}}}, ended: []*login.Ended{{}},
		open: []*intent.Intent{{Id: []byte("id")}},
	}
}

func BenchmarkEncode(b *testing.B) {
	v := newViewer(b)
	phone := v.joined("phone")
	v.joined("tv")
	v.link(phone, "code")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.state.encode(); err != nil {
			b.Fatal(err)
		}
	}
}
