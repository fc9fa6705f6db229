package profile

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/cluster"
)

func TestUnknownFieldsSurviveAChange(t *testing.T) {
	v := newViewer(t)
	phone := v.joined("phone")
	v.link(phone, "code")
	v.arrive("console", "code")
	later := v.state.message()
	future := protowire.AppendTag(nil, 900, protowire.BytesType)
	future = protowire.AppendString(future, "written by a later version")
	for _, m := range []proto.Message{later, later.Members[0], later.Codes[0], later.Codes[0].Guest} {
		m.ProtoReflect().SetUnknown(future)
	}
	v.state = fromMessage(later)

	v.joined("tv") // read, modify, write

	got := v.state.message()
	for _, m := range []proto.Message{got, got.Members[0], got.Codes[0], got.Codes[0].Guest} {
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
	v.arrive("console", "second")
	before := v.state.message()
	if diff := cmp.Diff(before, reload(t, v.state).message(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	if len(before.Codes) != 2 || before.Codes[0].UsedMs == 0 || before.Codes[1].Guest == nil || len(before.IssuedMs) != 2 {
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
type later struct{ actors.Store }

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
	v.state.expect(v.next(), actors.Times{Now: v.now, Confirmed: v.now})
	e.rest(actors.Times{Now: v.now, Confirmed: v.now})
	if e.state == nil {
		t.Fatal("a profile with a code being reserved rests")
	}
	e.rest(actors.Times{Now: v.now.Add(requestLife), Confirmed: v.now.Add(requestLife)})
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
	someGuest := rapid.Custom(func(t *rapid.T) *guest {
		return &guest{
			did: did.Draw(t, "did"), attributes: text.Draw(t, "attributes"), seen: number.Draw(t, "seen"),
			confirmed: rapid.Bool().Draw(t, "confirmed"), guess: text.Draw(t, "guess"), unknown: unknown.Draw(t, "unknown"),
		}
	})
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
				ended: number.Draw(t, "ended"), otherNetwork: rapid.Bool().Draw(t, "other"), guest: rapid.OneOf(rapid.Just[*guest](nil), someGuest).Draw(t, "guest"),
			}
		}), 0, 3).Draw(t, "codes"),
		issued:         rapid.SliceOfN(number, 0, 3).Draw(t, "issued"),
		lastMembership: number.Draw(t, "last"), keepUntil: number.Draw(t, "keep"), unknown: unknown.Draw(t, "unknown"),
		logins: []*SharedLogin{{Login: &login.Login{Mvpd: "cable"}}}, ended: []*login.Ended{{}},
		open: []*intent.Intent{{Id: []byte("id")}},
	}
}

func BenchmarkEncode(b *testing.B) {
	s := newViewer(b).household()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.encode(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	encoded, err := newViewer(b).household().encode()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decode(encoded); err != nil {
			b.Fatal(err)
		}
	}
}

// household is two members and a code.
func (v *viewer) household() *state {
	phone := v.joined("phone")
	v.joined("tv")
	v.link(phone, "code")
	return v.state
}

// fromMessage is the state that an unmarshalled record stands for.
func fromMessage(m *State) *state {
	s := &state{
		issued: m.IssuedMs, lastMembership: m.LastMembership, keepUntil: m.KeepUntilMs,
		logins: m.Logins, ended: m.Ended, open: m.Open,
		unknown: string(m.ProtoReflect().GetUnknown()),
	}
	if len(m.Members) > 0 {
		s.members = make([]member, len(m.Members))
	}
	for i, p := range m.Members {
		s.members[i] = member{
			device: string(p.Device), attributes: string(p.Attributes),
			unknown: string(p.ProtoReflect().GetUnknown()), did: Did(p.Device),
			membership: p.Membership, lastSeen: p.LastSeenMs, storedSeen: p.LastSeenMs, kind: p.Type, implied: p.Implied,
		}
	}
	if len(m.Codes) > 0 {
		s.codes = make([]code, len(m.Codes))
	}
	for i, p := range m.Codes {
		s.codes[i] = code{
			hash: string(p.Hash), unknown: string(p.ProtoReflect().GetUnknown()), did: digest(p.Did),
			usedBy: digest(p.UsedBy), notBefore: p.NotBeforeMs, notAfter: p.NotAfterMs, used: p.UsedMs, usedMembership: p.UsedMembership,
			ended: p.EndedMs, otherNetwork: p.OtherNetwork,
		}
		if g := p.Guest; g != nil {
			s.codes[i].guest = &guest{
				did: digest(g.Did), attributes: string(g.Attributes), seen: g.SeenMs, confirmed: g.Confirmed,
				guess: string(g.Guess), unknown: string(g.ProtoReflect().GetUnknown()),
			}
		}
	}
	return s
}

// TestWhatIsParsedIsWhatProtobufReads: for every state, and for whatever else
// the bytes of a record may be.
func TestWhatIsParsedIsWhatProtobufReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		encoded, err := anyState(t).encode()
		if err != nil {
			t.Fatal(err)
		}
		sameAsProtobuf(t, encoded)
	})
}

func FuzzParse(f *testing.F) {
	v := newViewer(f)
	v.link(v.joined("phone"), "code")
	v.redeem("tv", "code")
	v.link(v.joined("phone"), "another")
	v.arrive("tablet", "another")
	encoded, err := v.state.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encoded)
	f.Add([]byte{0x0a, 0x00, 0x28, 0x07, 0x2a, 0x02, 0x05, 0x06, 0xa3, 0x01, 0xa4, 0x01}) // an empty member, numbers in both forms, a group
	f.Fuzz(func(t *testing.T, encoded []byte) { sameAsProtobuf(t, encoded) })
}

func sameAsProtobuf(t reporter, encoded []byte) {
	t.Helper()
	var m State
	err := proto.Unmarshal(encoded, &m)
	got, gotErr := decode(encoded)
	if (err == nil) != (gotErr == nil) {
		t.Fatalf("%x: got %v, protobuf says %v", encoded, gotErr, err)
	}
	if err != nil {
		return
	}
	if diff := cmp.Diff(fromMessage(&m), got, cmp.AllowUnexported(state{}, member{}, code{}, guest{}), cmpopts.EquateEmpty(), protocmp.Transform()); diff != "" {
		t.Fatalf("%x: %s", encoded, diff)
	}
}
