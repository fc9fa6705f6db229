package device

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/grant"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/cluster"
)

func grantOf(id string) *intent.Place {
	return intent.At(grant.ID{Realm: "acme", MVPD: "cable", Login: []byte(id)}.Address())
}

// keepGranted logs in with tokens, shared with profiles.
func (s *story) keepGranted(id string, profiles ...string) []*intent.Intent {
	s.Helper()
	m := &login.Keep{
		Login:   &login.Login{Id: []byte(id), Mvpd: "cable", NotAfterMs: s.now.Add(day).UnixMilli(), Granted: true},
		Session: s.state.GetSession(), Tokens: &login.Tokens{Grant: grantOf(id), Sealed: []byte("tokens of " + id), DueMs: 1},
	}
	for _, p := range profiles {
		m.Shared = append(m.Shared, &login.Sharing{Profile: place(p)})
	}
	return do[*login.KeepReply](s, s.state.keep(m, place("self"), s.promises())).Open
}

// toGrants are the intents to grants, as the command and the login.
func toGrants(open []*intent.Intent) (to []string) {
	for _, i := range open {
		if i.GetTo().GetKind() == grant.KindName {
			to = append(to, fmt.Sprintf("%s %s", i.GetCommand().MessageName().Name(), i.GetTo().GetIdentity()[2]))
		}
	}
	return to
}

// TestTheTokensOfALogin go to its grant, and are dropped when it ends in whatever way.
func TestTheTokensOfALogin(t *testing.T) {
	ways := map[string]func(s *story) []*intent.Intent{
		"replaced": func(s *story) []*intent.Intent { return s.keepGranted("b")[1:] }, // the first one keeps b's
		"logout": func(s *story) []*intent.Intent {
			return do[*LeaveReply](s, s.state.leave(&Leave{Mvpd: "cable"}, s.promises())).Open
		},
		"ended": func(s *story) []*intent.Intent {
			return do[*login.EndReply](s, s.state.end(&login.End{Mvpd: "cable", Login: []byte("a")}, s.promises())).Open
		},
		"void": func(s *story) []*intent.Intent {
			end := &login.End{Mvpd: "cable", Login: []byte("a"), How: login.How_INVALIDATED}
			open := do[*login.EndReply](s, s.state.end(end, s.promises())).Open
			if again := toGrants(s.keepGranted("b")); fmt.Sprint(again) != "[Keep b]" {
				s.Errorf("the next login: %v", again)
			}
			return open
		},
	}
	for name, end := range ways {
		t.Run(name, func(t *testing.T) {
			s := newStory(t)
			s.begin("code")
			open := s.keepGranted("a")
			if got := toGrants(open); fmt.Sprint(got) != "[Keep a]" {
				t.Fatalf("kept: %v", got)
			}
			keep := &grant.Keep{}
			if err := open[0].GetCommand().UnmarshalTo(keep); err != nil {
				t.Fatal(err)
			}
			want := &grant.Keep{
				Sealed: []byte("tokens of a"), Login: []byte("a"), Mvpd: "cable", Device: place("self"),
				NotAfterMs: s.now.Add(day).UnixMilli(), DueMs: 1,
			}
			if !proto.Equal(keep, want) {
				t.Errorf("got %v, want %v", keep, want)
			}
			if got := toGrants(end(s)); fmt.Sprint(got) != "[Drop a]" {
				t.Errorf("ended: %v", got)
			}
		})
	}
}

// TestWhatAProviderTells reaches the login and its copies; what came later stays.
func TestWhatAProviderTells(t *testing.T) {
	s := newStory(t)
	s.begin("code")
	s.keepGranted("a", "profile-1", "profile-2")
	tell := func(account string, number uint64) []*intent.Intent {
		m := &login.Tell{Login: []byte("a"), Account: []byte(account), Number: number}
		return do[*login.TellReply](s, s.state.tell(m, s.promises())).Open
	}
	if open := tell("second", 2); len(open) != 2 {
		t.Errorf("told %d profiles", len(open))
	}
	if open := tell("first", 1); len(open) != 0 {
		t.Errorf("told %d profiles what is old", len(open))
	}
	if open := tell("second", 2); len(open) != 0 {
		t.Errorf("told %d profiles again", len(open))
	}
	if got := string(s.state.at("cable").GetLogin().GetAccount()); got != "second" {
		t.Errorf("the login has %q", got)
	}
}

// TestARestoredDeviceHasNoGrants: tokens of a backup may have been used since.
func TestARestoredDeviceHasNoGrants(t *testing.T) {
	s := newStory(t)
	s.begin("code")
	s.keepGranted("a", "profile-1")
	commit, err := intent.Encode(s.state)
	if err != nil {
		t.Fatal(err)
	}
	h, err := Restored(cluster.Head{Schema: commit.Schema, State: commit.State}, &actors.Restore{Erased: func(actors.Address) bool { return false }})
	if err != nil {
		t.Fatal(err)
	}
	restored, err := intent.Decode[State](h)
	if err != nil {
		t.Fatal(err)
	}
	if got := toGrants(restored.GetOpen()); len(got) > 0 || restored.at("cable").GetGrant() != nil || len(restored.GetOpen()) != 1 {
		t.Errorf("got %v", restored)
	}
}
