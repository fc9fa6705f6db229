package device

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/cluster"
)

var start = time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// story plays commands to one device; its state passes through its encoding
// with every change.
type story struct {
	*testing.T
	state   *State
	now     time.Time
	request byte
}

func newStory(t *testing.T) *story { return &story{T: t, state: &State{}, now: start} }

func (s *story) promises() *intent.Promises {
	s.request++
	return &intent.Promises{Request: cluster.RequestID{s.request}, At: actors.Times{Now: s.now, Confirmed: s.now}}
}

func do[R proto.Message](s *story, d decision) R {
	s.Helper()
	if d.Next != nil {
		s.state = stored(s.T, d.Next)
	}
	return d.Reply.(R)
}

func stored(t *testing.T, s *State) *State {
	t.Helper()
	commit, err := intent.Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	if commit.Remove {
		return &State{}
	}
	loaded, err := intent.Decode[State](cluster.Head{Schema: commit.Schema, State: commit.State})
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func place(name string) *intent.Place {
	return intent.At(actors.Address{Kind: "test", Identity: actors.Identity{name}})
}

func (s *story) begin(code string) []*intent.Intent {
	s.Helper()
	return do[*BeginReply](s, s.state.begin(&Begin{Session: place(code), UntilMs: s.now.Add(time.Hour).UnixMilli()}, s.promises())).Open
}

// keep logs in at an MVPD, shared with profiles.
func (s *story) keep(code, id, mvpd string, profiles ...string) *login.KeepReply {
	s.Helper()
	m := &login.Keep{
		Login:   &login.Login{Id: []byte(id), Mvpd: mvpd, NotBeforeMs: s.now.UnixMilli(), NotAfterMs: s.now.Add(day).UnixMilli()},
		Session: place(code),
	}
	for _, p := range profiles {
		m.Shared = append(m.Shared, &login.Sharing{Profile: place(p)})
	}
	return do[*login.KeepReply](s, s.state.keep(m, place("self"), s.promises()))
}

func (s *story) end(id string, how login.How) *login.EndReply {
	s.Helper()
	return do[*login.EndReply](s, s.state.end(&login.End{Login: []byte(id), How: how}, s.promises()))
}

func (s *story) leave(mvpd string, profiles ...string) *LeaveReply {
	s.Helper()
	m := &Leave{Mvpd: mvpd}
	for _, p := range profiles {
		m.Profiles = append(m.Profiles, place(p))
	}
	return do[*LeaveReply](s, s.state.leave(m, s.promises()))
}

// told are the names of those that intents are for, with the command.
func told(open []*intent.Intent) (names []string) {
	for _, i := range open {
		names = append(names, fmt.Sprintf("%s %s", i.To.Identity[0], i.Command.MessageName().Name()))
	}
	return names
}

func (s *story) standing(mvpd string) login.Standing {
	return s.state.at(mvpd).GetLogin().Standing(s.now)
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestALaterSessionSupersedesTheEarlier(t *testing.T) {
	s := newStory(t)
	equal(t, "first session", told(s.begin("one")), "[]")
	equal(t, "the same again", told(s.begin("one")), "[]")
	equal(t, "second session", told(s.begin("two")), "[one Supersede]")
	equal(t, "login of the first", s.keep("one", "a", "cable").Stale, true)
	equal(t, "login of the second", s.keep("two", "a", "cable").Stale, false)
	s.now = s.now.Add(time.Hour)
	equal(t, "after the end of the second", told(s.begin("three")), "[]")
}

func TestWhatALoginTells(t *testing.T) {
	s := newStory(t)
	s.begin("one")
	equal(t, "shared", told(s.keep("one", "a", "cable", "viewer", "platform").Open), "[viewer Share platform Share]")
	equal(t, "the same again", told(s.keep("one", "a", "cable", "viewer", "platform").Open), "[]")
	equal(t, "standing", s.standing("cable"), login.Good)
	equal(t, "void", told(s.end("a", login.How_INVALIDATED).Open), "[viewer End platform End]")
	equal(t, "void again", told(s.end("a", login.How_INVALIDATED).Open), "[]")
	equal(t, "standing of the void", s.standing("cable"), login.Invalidated)
	s.end("a", login.How_REMOVED)
	equal(t, "standing of the removed", s.standing("cable"), login.Missing)
	equal(t, "a late copy", s.keep("one", "a", "cable").Stale, false)
	equal(t, "standing after the late copy", s.standing("cable"), login.Missing)
}

func TestALoginNamesWhatItReplaces(t *testing.T) {
	s := newStory(t)
	s.begin("session")
	shares := func(reply *login.KeepReply) (ids []string) {
		t.Helper()
		for _, i := range reply.Open {
			m := &login.Share{}
			if err := i.Command.UnmarshalTo(m); err != nil {
				t.Fatal(err)
			}
			for _, id := range m.Replaced {
				ids = append(ids, string(id))
			}
		}
		return ids
	}
	first := s.keep("session", "a", "cable", "viewer")
	equal(t, "by the first", len(shares(first)), 0)
	equal(t, "at another MVPD", len(shares(s.keep("session", "b", "sat", "viewer"))), 0)
	equal(t, "while the first is on its way", shares(s.keep("session", "c", "cable", "viewer")), "[a]")
	equal(t, "while two are", shares(s.keep("session", "d", "cable", "viewer")), "[c a]")
	settle := &intent.Settle{}
	for _, i := range s.state.Open {
		settle.Id = append(settle.Id, i.Id)
	}
	do[*intent.SettleReply](s, s.state.settle(settle))
	equal(t, "when all arrived", shares(s.keep("session", "e", "cable", "viewer")), "[d]")
}

func TestWhomALogoutTells(t *testing.T) {
	tests := []struct {
		name     string
		profiles []string
		want     string
	}{
		{"without an identity", nil, "[viewer End platform End]"},
		{"with one", []string{"viewer"}, "[viewer EndAll platform End]"},
		{"with one that the login is not shared with", []string{"other"}, "[other EndAll viewer End platform End]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStory(t)
			s.begin("one")
			s.keep("one", "a", "cable", "viewer", "platform")
			s.state.Open = nil
			got := s.leave("cable", tt.profiles...)
			equal(t, "told", told(got.Open), tt.want)
			equal(t, "left", got.Left, true)
			equal(t, "standing", s.standing("cable"), login.Missing)
		})
	}
	s := newStory(t)
	equal(t, "nothing to leave", told(s.leave("cable").Open), "[]")
	equal(t, "stored", proto.Size(s.state) == 0, true)
	equal(t, "only the identity's", told(s.leave("cable", "viewer").Open), "[viewer EndAll]")
}

func TestALogoutWaitsWhenTooMuchIsPromised(t *testing.T) {
	s := newStory(t)
	for range intent.Max {
		s.leave("cable", "viewer")
	}
	if got := s.leave("cable", "viewer"); !got.Busy || len(got.Open) > 0 {
		t.Errorf("got busy %v with %d promises", got.Busy, len(got.Open))
	}
}

// A login is not kept while its device has too much to tell; what ends one is not refused.
func TestALoginWaitsWhenTooMuchIsPromised(t *testing.T) {
	s := newStory(t)
	s.begin("one")
	s.keep("one", "first", "cable", "viewer")
	for range intent.Max {
		s.leave("other", "viewer")
	}
	equal(t, "busy", s.keep("one", "second", "dish", "viewer", "family").Busy, true)
	equal(t, "kept", s.standing("dish"), login.Missing)
	equal(t, "ended", s.end("first", login.How_REMOVED).Ended, true)
	do[*intent.SettleReply](s, s.state.settle(&intent.Settle{Id: [][]byte{s.state.Open[0].Id, s.state.Open[1].Id}}))
	equal(t, "busy later", s.keep("one", "second", "dish", "viewer", "family").Busy, false)
	equal(t, "kept later", s.standing("dish"), login.Good)
}

func TestLoginsAreBounded(t *testing.T) {
	s := newStory(t)
	s.begin("one")
	for i := range login.MaxLogins + 1 {
		s.now = s.now.Add(time.Second)
		s.keep("one", fmt.Sprint(i), fmt.Sprint("mvpd ", i))
	}
	equal(t, "logins", len(s.state.Logins), login.MaxLogins)
	equal(t, "the one that ended first", s.standing("mvpd 0"), login.Missing)
	s.keep("one", "again", "mvpd 5")
	equal(t, "logins after one was replaced", len(s.state.Logins), login.MaxLogins)
}

// An expired login is kept for a while so that a client is told why; then the
// device leaves no trace.
func TestExpire(t *testing.T) {
	s := newStory(t)
	s.begin("one")
	s.keep("one", "a", "cable")
	s.end("b", login.How_REMOVED)
	look := func() string {
		commit, err := intent.Encode(s.state)
		if err != nil {
			t.Fatal(err)
		}
		if m := sweep(cluster.Head{Schema: commit.Schema, State: commit.State}, actors.Times{Now: s.now, Confirmed: s.now}); m != nil {
			return string(m.ProtoReflect().Descriptor().Name())
		}
		return ""
	}
	s.now = s.now.Add(day)
	equal(t, "standing", s.standing("cable"), login.Expired)
	equal(t, "sweep after a day", look(), "Expire")
	do[*ExpireReply](s, s.state.expire(&Expire{}, actors.Times{Now: s.now, Confirmed: s.now}))
	equal(t, "sweep when done", look(), "")
	equal(t, "standing", s.standing("cable"), login.Expired)
	s.now = s.now.Add(31 * day)
	equal(t, "sweep after a month", look(), "Expire")
	do[*ExpireReply](s, s.state.expire(&Expire{}, actors.Times{Now: s.now, Confirmed: s.now}))
	equal(t, "empty", proto.Size(s.state) == 0, true)
}

func TestSettle(t *testing.T) {
	s := newStory(t)
	open := s.leave("cable", "viewer", "platform").Open
	do[*intent.SettleReply](s, s.state.settle(&intent.Settle{Id: [][]byte{open[0].Id}}))
	equal(t, "left open", told(s.state.Open), "[platform EndAll]")
}

func TestUnknownFieldsSurviveAChange(t *testing.T) {
	s := newStory(t)
	s.begin("one")
	s.keep("one", "a", "cable")
	future := protowire.AppendString(protowire.AppendTag(nil, 900, protowire.BytesType), "written by a later version")
	s.state.ProtoReflect().SetUnknown(future)
	s.state.Logins[0].ProtoReflect().SetUnknown(future)
	s.state.Logins[0].Login.ProtoReflect().SetUnknown(future)
	s.end("a", login.How_INVALIDATED)
	for _, m := range []proto.Message{s.state, s.state.Logins[0], s.state.Logins[0].Login} {
		if got := m.ProtoReflect().GetUnknown(); string(got) != string(future) {
			t.Errorf("%s: got %q", m.ProtoReflect().Descriptor().Name(), got)
		}
	}
}

func TestAnUnknownSchemaIsRefused(t *testing.T) {
	if _, err := intent.Decode[State](cluster.Head{Schema: 2}); err == nil {
		t.Error("a record of a later format was read")
	}
}

// TestAReplacedLoginIsEndedWhereCopiesAreLeft: the device tells the profiles that are named,
// also when it knows already that the login has ended, and nothing goes round for ever.
func TestAReplacedLoginIsEndedWhereCopiesAreLeft(t *testing.T) {
	s := newStory(t)
	s.begin("S1")
	end := &login.End{Mvpd: "cable", Login: []byte("first"), Copies: []*intent.Place{place("viewer"), place("platform")}}
	for _, what := range []string{"first", "repeated"} {
		open := do[*login.EndReply](s, s.state.end(end, s.promises())).GetOpen()
		if len(open) != 2 {
			t.Errorf("%s: %d profiles are told, want 2", what, len(open))
		}
		for _, i := range open {
			m := &login.End{}
			if err := i.GetCommand().UnmarshalTo(m); err != nil || len(m.GetCopies()) != 0 || string(m.GetLogin()) != "first" {
				t.Errorf("%s: %v is told %v, %v", what, i.GetTo(), m, err)
			}
		}
	}
	end.Copies = nil
	if open := do[*login.EndReply](s, s.state.end(end, s.promises())).GetOpen(); len(open) != 0 {
		t.Errorf("the news goes round: %v", open)
	}
}
