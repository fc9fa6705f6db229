package profile

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

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
