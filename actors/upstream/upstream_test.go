package upstream

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/cluster"
)

var start = time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)

// story plays commands to one subject; its state passes through its encoding with every
// change.
type story struct {
	*testing.T
	state   *State
	now     time.Time
	request byte
}

func newStory(t *testing.T) *story { return &story{T: t, state: &State{}, now: start} }

func (s *story) at() actors.Times { return actors.Times{Now: s.now, Confirmed: s.now} }

func (s *story) promises() *intent.Promises {
	s.request++
	return &intent.Promises{Request: cluster.RequestID{s.request}, At: s.at()}
}

func do[R proto.Message](s *story, d decision) R {
	s.Helper()
	if d.Next != nil {
		commit, err := intent.Encode(d.Next)
		if err != nil {
			s.Fatal(err)
		}
		s.state = &State{}
		if !commit.Remove {
			if s.state, err = intent.Decode[State](cluster.Head{Schema: commit.Schema, State: commit.State}); err != nil {
				s.Fatal(err)
			}
		}
	}
	return d.Reply.(R)
}

func deviceAt(name string) *intent.Place {
	return intent.At(actors.Address{Kind: "device", Identity: actors.Identity{"tv", "app", name}})
}

// enter enters the login of a device that was issued at a time after the start.
func (s *story) enter(id string, issued time.Duration) []*intent.Intent {
	s.Helper()
	return s.tryEnter(id, issued).GetOpen()
}

func (s *story) tryEnter(id string, issued time.Duration) *EnterReply {
	s.Helper()
	return s.enterBy(Subject, entry(id, issued, issued))
}

// entry is a login of a device that began, and was issued, at times after the start.
func entry(id string, begun, issued time.Duration) *Entry {
	return &Entry{
		Login: []byte(id), Mvpd: "cable", Device: deviceAt(id), BegunMs: start.Add(begun).UnixMilli(),
		IssuedMs: start.Add(issued).UnixMilli(), NotAfterMs: start.Add(24 * time.Hour).UnixMilli(),
	}
}

func (s *story) enterBy(by By, e *Entry) *EnterReply {
	s.Helper()
	return do[*EnterReply](s, s.state.enter(&Enter{Login: e}, by, s.promises()))
}

func (s *story) erase(device string) *EraseReply {
	s.Helper()
	return do[*EraseReply](s, s.state.erase(&Erase{Device: []byte(device)}, s.promises()))
}

func (s *story) end(issued time.Duration) *EndReply {
	s.Helper()
	return do[*EndReply](s, s.state.end(&End{IssuedMs: start.Add(issued).UnixMilli(), HeardMs: start.Add(issued).UnixMilli()}, s.promises()))
}

func (s *story) remove(id string) {
	s.Helper()
	do[*RemoveReply](s, s.state.remove(&Remove{Login: []byte(id)}, s.at()))
}

// told are the logins that intents end, each at its device.
func (s *story) told(open []*intent.Intent) (ids []string) {
	s.Helper()
	for _, i := range open {
		m := &login.End{}
		if err := i.GetCommand().UnmarshalTo(m); err != nil {
			s.Fatal(err)
		}
		if at := i.GetTo().Address().Identity[2]; at != string(m.GetLogin()) {
			s.Errorf("%s is told of the end of %s", at, m.GetLogin())
		}
		ids = append(ids, string(m.GetLogin()))
	}
	slices.Sort(ids)
	return ids
}

func (s *story) expect(what string, got, want any) {
	s.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		s.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestAnEndEndsWhatWasIssuedBefore(t *testing.T) {
	s := newStory(t)
	s.enter("phone", 0)
	s.enter("tv", time.Second)
	s.enter("later", 3*time.Second)
	s.enter("phone", 0) // comes again
	s.expect("ended", s.told(s.end(time.Second).GetOpen()), "[phone tv]")
	s.expect("ended again", s.told(s.end(time.Second).GetOpen()), "[]")
	s.expect("comes again when it has ended", s.told(s.enter("phone", 0)), "[]")
	s.expect("left", len(s.state.Logins), 1)
	s.expect("ended later", s.told(s.end(3*time.Second).GetOpen()), "[later]")
}

// TestAnEndThatOvertakesItsLogin is remembered for ten minutes, and meant for logins from
// before it only.
func TestAnEndThatOvertakesItsLogin(t *testing.T) {
	s := newStory(t)
	s.expect("nothing is there", s.end(time.Minute).GetEnded(), 0)
	s.now = start.Add(Overtaking - time.Second)
	s.expect("issued before", s.told(s.enter("phone", time.Minute)), "[phone]")
	s.expect("issued after", s.told(s.enter("tv", time.Minute+time.Millisecond)), "[]")
	s.now = start.Add(Overtaking)
	s.expect("too late", s.told(s.enter("tablet", 0)), "[]")
	s.expect("sweep", fmt.Sprintf("%T", s.sweep()), "*upstream.Expire")
	do[*ExpireReply](s, s.state.expire(&Expire{}, s.at()))
	s.expect("remembered", s.state.End, (*Ended)(nil))
}

// TestWhatAnEndIsMeantFor: times of providers have whole seconds, and OpenID Connect issues
// what has one when an answer is redeemed, a moment after the login.
func TestWhatAnEndIsMeantFor(t *testing.T) {
	const ends = time.Minute
	for _, tt := range []struct {
		name          string
		by            By
		found         bool
		begun, issued time.Duration
		ended         bool
	}{
		{"under way, issued before", Subject, true, ends - time.Millisecond, ends, true},
		{"under way, issued after", Subject, true, ends - time.Second, ends + time.Second, false},
		{"under way in the session", Session, true, ends - time.Second, ends + time.Hour, true},
		{"logged in again in the same second", Subject, true, ends + time.Second/2, ends, false},
		{"again, in a session of the same name", Session, true, ends + time.Second/2, ends, false},
		{"an end that found nothing", Subject, false, ends + time.Second/2, ends, true},
		{"an end that found nothing, issued later", Session, false, ends + time.Second/2, ends + time.Second, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStory(t)
			if tt.found {
				s.enter("other", 0)
			}
			s.end(ends)
			s.end(ends) // comes again
			if ended := len(s.enterBy(tt.by, entry("phone", tt.begun, tt.issued)).GetOpen()) == 1; ended != tt.ended {
				t.Errorf("ended: got %v, want %v", ended, tt.ended)
			}
		})
	}
}

func (s *story) sweep() proto.Message {
	s.Helper()
	state := s.state.clone()
	state.Open = nil // what is overdue comes first
	commit, err := intent.Encode(state)
	if err != nil {
		s.Fatal(err)
	}
	return sweep(cluster.Head{Schema: commit.Schema, State: commit.State}, s.at())
}

// TestARemovalMayComeFirst: the intents of a device have no order.
func TestARemovalMayComeFirst(t *testing.T) {
	s := newStory(t)
	s.remove("phone")
	s.enter("phone", 0)
	s.expect("logins", len(s.state.Logins), 0)
	s.enter("tv", 0)
	s.remove("tv")
	s.remove("tv")
	s.expect("ended", s.end(time.Hour).GetEnded(), 0)
}

// TestOneLoginTooMany ends the one that was issued first, so that none is left that the
// provider could not end.
func TestOneLoginTooMany(t *testing.T) {
	s := newStory(t)
	s.enter("second", 2*time.Second)
	s.enter("first", time.Second)
	for n := range Max - 2 {
		s.expect("ended", s.told(s.enter(fmt.Sprint("other", n), time.Minute)), "[]")
	}
	s.expect("ended", s.told(s.enter("one more", time.Hour)), "[first]")
	s.expect("logins", len(s.state.Logins), Max)
	s.now = start.Add(24 * time.Hour)
	s.expect("expired ones make room", s.told(s.enter("tomorrow", 25*time.Hour)), "[]")
}

// TestAnEndThatCannotBeTold is refused: what the devices have not heard of yet is bounded.
func TestAnEndThatCannotBeTold(t *testing.T) {
	s := newStory(t)
	for round := range 3 {
		for n := range Max {
			s.enter(fmt.Sprint(round, "-", n), time.Duration(round)*time.Second)
		}
		if got := s.end(time.Duration(round) * time.Second); got.GetBusy() != (round == 2) {
			t.Errorf("round %d: busy %v with %d intents open", round, got.GetBusy(), len(s.state.Open))
		}
	}
	s.expect("left", len(s.state.Logins), Max)
	s.expect("one login too many is refused", s.tryEnter("one more", time.Hour).GetBusy(), true)
	s.expect("and one that has ended", s.tryEnter("late", time.Second).GetBusy(), true)
	s.expect("an erasure too", s.erase("2-0").GetBusy(), true)
	s.expect("open", len(s.state.Open), intent.Max)
	ids := [][]byte{}
	for _, i := range s.state.Open {
		ids = append(ids, i.GetId())
	}
	do[*intent.SettleReply](s, s.state.settle(&intent.Settle{Id: ids}))
	s.expect("when they have heard, it comes again", s.told(s.enter("one more", time.Hour)), "[2-0]")
	s.expect("and the erasure", s.told(s.erase("2-1").GetOpen()), "[2-1]")
	s.expect("and the end", s.end(2*time.Second).GetEnded(), Max-2)
}

// TestAnErasedDevice leaves no entry.
func TestAnErasedDevice(t *testing.T) {
	s := newStory(t)
	s.enter("phone", 0)
	s.enter("tv", 0)
	s.expect("ended", s.told(s.erase("phone").GetOpen()), "[phone]")
	s.expect("in use", s.state.InUse(), true)
	s.expect("another device", len(s.erase("phone").GetOpen()), 0)
}

// TestASetBackClock: nothing is remembered for longer than from now.
func TestASetBackClock(t *testing.T) {
	s := newStory(t)
	s.enter("phone", 0)
	s.end(0)
	s.now = start.Add(-48 * time.Hour)
	s.expect("cut", s.state.Cut(s.at()), true)
	s.expect("the end", s.state.End.GetUntilMs(), s.now.Add(Overtaking).UnixMilli())
	s.expect("cut again", s.state.Cut(s.at()), false)
}

// TestWhatIsRestored: all but what erased entities have.
func TestWhatIsRestored(t *testing.T) {
	s := newStory(t)
	for _, name := range []string{"phone", "tv"} {
		s.enter(name, time.Minute)
	}
	s.state.Logins[1].Copies = []*intent.Place{deviceAt("gone"), deviceAt("there")}
	commit, err := intent.Encode(s.state)
	if err != nil {
		t.Fatal(err)
	}
	h, stays, err := Restored(cluster.Head{Schema: commit.Schema, State: commit.State}, &actors.Restore{Erased: func(a actors.Address) bool {
		return a.Identity[2] == "phone" || a.Identity[2] == "gone"
	}})
	if err != nil || !stays {
		t.Fatal(stays, err)
	}
	if s.state, err = intent.Decode[State](h); err != nil {
		t.Fatal(err)
	}
	if len(s.state.Logins) != 1 || string(s.state.Logins[0].Login) != "tv" || len(s.state.Logins[0].Copies) != 1 {
		t.Errorf("got %v", s.state.Logins)
	}
}

// TestWhereALoginIsEntered: in its subject, and in its session if it has one.
func TestWhereALoginIsEntered(t *testing.T) {
	l := &login.Login{Mvpd: "cable"}
	if got := Of(l); len(got) != 0 {
		t.Errorf("without a source: got %v", got)
	}
	l.Source = &login.Source{Realm: "acme", Subject: Digest("viewer")}
	if got := Of(l); len(got) != 1 || got[0].GetKind() != KindName {
		t.Errorf("without a session: got %v", got)
	}
	l.Source.Session = Digest("viewer") // the same name is another entity
	got := Of(l)
	if len(got) != 2 || proto.Equal(got[0], got[1]) {
		t.Errorf("got %v", got)
	}
	if want := (ID{"acme", "cable", Session, Digest("viewer")}).Address(); fmt.Sprint(got[1].Address()) != fmt.Sprint(want) {
		t.Errorf("session: got %v, want %v", got[1].Address(), want)
	}
}

// TestDevicesHearWhoEndedALogin, since others are told: the provider, or an erasure.
func TestDevicesHearWhoEndedALogin(t *testing.T) {
	heard := func(open []*intent.Intent) (provider bool) {
		t.Helper()
		if len(open) != 1 {
			t.Fatalf("%d intents", len(open))
		}
		m, err := open[0].Command.UnmarshalNew()
		if err != nil {
			t.Fatal(err)
		}
		return m.(*login.End).GetProvider()
	}
	ended := newStory(t)
	ended.enter("phone", 0)
	if !heard(ended.end(time.Minute).Open) {
		t.Error("the provider ended it, and the device does not hear that")
	}
	if !heard(ended.enter("late", 0)) {
		t.Error("the provider had ended it before it was entered, and the device does not hear that")
	}
	erased := newStory(t)
	erased.enter("phone", 0)
	if heard(erased.erase("phone").Open) {
		t.Error("an erasure passes for the provider")
	}
}
