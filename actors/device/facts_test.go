package device

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/event"
	"ssod/actors/login"
)

// TestOthersAreToldWhoEndedALogin: the TV provider, through its index or by voiding the
// login at a decision, or the viewer.
func TestOthersAreToldWhoEndedALogin(t *testing.T) {
	self := actors.Address{Kind: KindName, Identity: actors.Identity{"tv", "app", "device"}}
	for _, tt := range []struct {
		name    string
		command proto.Message
		reason  string // empty: nobody is told
	}{
		{"the viewer logs out", &login.End{}, event.ByApp},
		{"the provider ends it", &login.End{Provider: true}, event.ByProvider},
		{"the provider voids it", &login.End{How: login.How_INVALIDATED}, event.ByProvider},
		{"the app leaves the provider", &Leave{}, event.ByApp},
		{"it expires", &Expire{}, ""},
	} {
		account, err := proto.Marshal(&login.Account{Subject: "ada"})
		if err != nil {
			t.Fatal(err)
		}
		before := &State{Logins: []*Regular{{Login: &login.Login{
			Id: []byte("first"), Mvpd: "cable", Account: account, NotAfterMs: start.Add(day).UnixMilli(),
		}}}}
		told := facts(before, &State{}, self, tt.command, start)
		if tt.reason == "" {
			equal(t, tt.name, len(told), 0)
			continue
		}
		if len(told) != 1 {
			t.Errorf("%s: told %d facts", tt.name, len(told))
			continue
		}
		f := told[0]
		equal(t, tt.name, []any{f.Type, f.Reason, f.MVPD, f.ServiceProvider, string(f.Login), f.Accounts, f.NotAfter},
			[]any{event.LoginEnded, tt.reason, "cable", "tv", "first", []event.Account{{MVPD: "cable", UserID: "ada"}}, start.Add(24 * time.Hour)})
	}
}
