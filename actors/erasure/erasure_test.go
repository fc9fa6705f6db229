package erasure_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/erasure"
	"ssod/actors/intent"
	"ssod/actors/session"
	"ssod/cluster"
)

func slots() *cluster.Slots { return cluster.DivideSlots(64) }

// sessionAt returns a session in a shard, as it is stored.
func sessionAt(t *testing.T, shard cluster.ShardID) []byte {
	t.Helper()
	for i := range 100_000 {
		if at := (session.ID{ServiceProvider: "tv", Code: fmt.Sprint(i)}).Address(); at.Shard(slots()) == shard {
			return []byte(at.Identity.Encode())
		}
	}
	t.Fatalf("no session is in shard %d", shard)
	return nil
}

// stored is a cluster that has sessions of a device, until they are found, and the
// entities that are asked to forget themselves.
type stored struct {
	sessions [][]byte
	finds    error // of looking for what else the device has
	scrubs   error
	scrubbed []cluster.ShardID
}

func (s *stored) Find(_ context.Context, kind string, _ []byte) (found [][]byte, err error) {
	if kind != session.KindName {
		return nil, s.finds
	}
	found, s.sessions = s.sessions, nil
	return found, nil
}

func (s *stored) Scrub(_ context.Context, shards []cluster.ShardID) error {
	s.scrubbed = shards
	return s.scrubs
}

func (s *stored) Ask(_ context.Context, to actors.Address, _ cluster.RequestID, _ uint32, command proto.Message) (proto.Message, error) {
	if _, ok := command.(*intent.Forget); !ok {
		return nil, fmt.Errorf("a %s is asked for %T", to.Kind, command)
	}
	return &intent.ForgetReply{}, nil
}

func (s *stored) Tell(actors.Address, cluster.RequestID, uint32, proto.Message) {}

// TestWhatAFailedErasureErasedIsScrubbed by the next one, which does not find it any
// more, and by no other after that.
func TestWhatAFailedErasureErasedIsScrubbed(t *testing.T) {
	down := errors.New("a node is down")
	s := &stored{}
	e := &erasure.Eraser{Asker: s, Cluster: s, Slots: slots}
	device := erasure.Target{Realm: erasure.Realm{ID: "r", ServiceProviders: map[string]bool{"tv": true}}, Device: []byte("tv-1")}
	for _, step := range []struct {
		name          string
		at            cluster.ShardID // of the session
		finds, scrubs error
		want          []cluster.ShardID // scrubbed
	}{
		{name: "fails half-way", at: 3, finds: down},
		{name: "cannot be scrubbed", at: 7, scrubs: down, want: []cluster.ShardID{3, 7}},
		{name: "fails half-way again", at: 11, finds: down},
		{name: "is done", at: 5, want: []cluster.ShardID{3, 5, 7, 11}},
		{name: "has only its own", at: 9, want: []cluster.ShardID{9}},
	} {
		*s = stored{sessions: [][]byte{sessionAt(t, step.at)}, finds: step.finds, scrubs: step.scrubs}
		got, err := e.Erase(t.Context(), device)
		if failed := step.finds != nil || step.scrubs != nil; got.Sessions != 1 || failed != errors.Is(err, down) {
			t.Errorf("%s: got %+v, %v", step.name, got, err)
		}
		if !slices.Equal(s.scrubbed, step.want) {
			t.Errorf("%s: shards %v are scrubbed, want %v", step.name, s.scrubbed, step.want)
		}
	}
}
