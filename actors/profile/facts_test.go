package profile

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/event"
	"ssod/actors/login"
)

// TestProvidersAreToldOfGoodLogins only: those that are over are kept to be explained.
func TestProvidersAreToldOfGoodLogins(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	made := func(mvpd string, until time.Time) *login.Login {
		account, err := proto.Marshal(&login.Account{Subject: "viewer of " + mvpd})
		if err != nil {
			t.Fatal(err)
		}
		return &login.Login{Id: []byte(mvpd), Mvpd: mvpd, NotAfterMs: until.UnixMilli(), Account: account}
	}
	e := &entity{id: actors.Identity{"acme", NamespaceSSO, "ada"}, state: &state{logins: []*SharedLogin{
		{Login: made("cable", now.Add(day))},
		{Login: made("dish", now)},
		{Login: made("sat", now.Add(day)).Invalidate(now)},
	}}}
	next := e.state.clone()
	next.members = []member{{device: "tv", did: [DidSize]byte{1}}}
	facts := e.facts(&Redeem{}, next, now)()
	if len(facts) != 1 || facts[0].Type != event.DeviceLinked {
		t.Fatalf("got %v", facts)
	}
	expect(t, "accounts", facts[0].Accounts, []event.Account{{MVPD: "cable", UserID: "viewer of cable"}})
}
