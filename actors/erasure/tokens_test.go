package erasure_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/device"
	"ssod/actors/erasure"
	"ssod/actors/grant"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/cluster"
)

// granted is a cluster with a device that has a login with tokens.
type granted struct {
	stored
	device    device.ID
	logins    []*login.Login
	forgotten []string // kinds of entities, in order
}

func (g *granted) Find(_ context.Context, kind string, _ []byte) ([][]byte, error) {
	if kind != device.KindName {
		return nil, nil
	}
	return [][]byte{[]byte(g.device.Address().Identity.Encode())}, nil
}

func (g *granted) Ask(_ context.Context, to actors.Address, _ cluster.RequestID, _ uint32, command proto.Message) (proto.Message, error) {
	switch command.(type) {
	case *device.Logins:
		return &device.LoginsReply{Logins: g.logins}, nil
	case *device.Leave:
		g.logins = nil
		return &device.LeaveReply{Left: true}, nil
	case *intent.Forget:
		g.forgotten = append(g.forgotten, to.Kind)
		return &intent.ForgetReply{}, nil
	}
	return nil, fmt.Errorf("a %s is asked for %T", to.Kind, command)
}

// TestTheTokensOfALoginAreErased with it, and scrubbed from the shard that they were in.
func TestTheTokensOfALoginAreErased(t *testing.T) {
	g := &granted{
		device: device.ID{ServiceProvider: "tv", Client: "app", Device: []byte("tv-1")},
		logins: []*login.Login{{Id: []byte("login-1"), Mvpd: "cable", Granted: true}},
	}
	e := &erasure.Eraser{Asker: g, Cluster: g, Slots: slots}
	target := erasure.Target{Realm: erasure.Realm{ID: "r", ServiceProviders: map[string]bool{"tv": true}}, Device: g.device.Device}
	got, err := e.Erase(t.Context(), target)
	if err != nil || got.Logins != 1 {
		t.Fatalf("erased %+v, %v", got, err)
	}
	if want := []string{grant.KindName, device.KindName}; !slices.Equal(g.forgotten, want) {
		t.Errorf("forgotten: %v, want %v", g.forgotten, want)
	}
	at := grant.ID{Realm: "r", MVPD: "cable", Login: []byte("login-1")}.Address().Shard(slots())
	if !slices.Contains(g.scrubbed, at) {
		t.Errorf("shards %v are scrubbed, and not %d of the tokens", g.scrubbed, at)
	}
}
