package grant

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/cluster"
)

var start = time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)

var self = ID{Realm: "acme", MVPD: "cable", Login: []byte("login-1")}

// story plays commands to one grant; its state passes through its encoding with every
// change.
type story struct {
	*testing.T
	state   *State
	now     time.Time
	request byte
}

func newStory(t *testing.T) *story {
	s := &story{T: t, state: &State{}, now: start}
	s.keep()
	return s
}

func (s *story) promises() *intent.Promises {
	s.request++
	return &intent.Promises{Request: cluster.RequestID{s.request}, At: actors.Times{Now: s.now, Confirmed: s.now}}
}

func do[R proto.Message](s *story, d decision) R {
	s.Helper()
	if d.Next != nil {
		commit, err := intent.Encode(d.Next)
		if err != nil {
			s.Fatal(err)
		}
		s.state = &State{}
		if err := proto.Unmarshal(commit.State, s.state); err != nil {
			s.Fatal(err)
		}
	}
	return d.Reply.(R)
}

func device() *intent.Place {
	return intent.At(actors.Address{Kind: "test", Identity: actors.Identity{"device"}})
}

// keep has tokens that are due in an hour, of a login that lasts a day.
func (s *story) keep() {
	s.Helper()
	do[*KeepReply](s, s.state.keep(&Keep{
		Sealed: []byte("tokens-0"), Login: self.Login, Mvpd: self.MVPD, Device: device(),
		NotAfterMs: start.Add(24 * time.Hour).UnixMilli(), DueMs: start.Add(time.Hour).UnixMilli(),
	}, s.promises().At))
}

func (s *story) take(lease string, want Outcome) *TakeReply {
	s.Helper()
	reply := do[*TakeReply](s, s.state.take(&Take{Lease: []byte(lease)}, s.promises()))
	if reply.GetOutcome() != want || (want == Outcome_TAKEN) != (len(reply.GetSealed()) > 0) {
		s.Fatalf("%s takes: got %v, want %v", lease, reply, want)
	}
	return reply
}

func (s *story) put(lease, tokens, account string) *PutReply {
	s.Helper()
	return do[*PutReply](s, s.state.put(&Put{
		Lease: []byte(lease), Sealed: []byte(tokens), Account: []byte(account), DueMs: s.now.Add(time.Hour).UnixMilli(),
	}, s.promises()))
}

// only returns the command of the one intent.
func only[C proto.Message](s *story, open []*intent.Intent) C {
	s.Helper()
	if len(open) != 1 || !proto.Equal(open[0].GetTo(), device()) {
		s.Fatalf("got %d intents", len(open))
	}
	m, err := open[0].GetCommand().UnmarshalNew()
	if err != nil {
		s.Fatal(err)
	}
	c, ok := m.(C)
	if !ok {
		s.Fatalf("got a %T", m)
	}
	return c
}

func (s *story) settle(open []*intent.Intent) {
	s.Helper()
	m := &intent.Settle{}
	for _, i := range open {
		m.Id = append(m.Id, i.GetId())
	}
	do[*intent.SettleReply](s, s.state.settle(m))
}

// TestTokensAreLentToOne at a time, when they are due, and rotate.
func TestTokensAreLentToOne(t *testing.T) {
	s := newStory(t)
	if again := s.take("a", Outcome_WAIT).GetAgainMs(); again != start.Add(time.Hour).UnixMilli() {
		t.Errorf("due at %d", again)
	}
	s.now = start.Add(time.Hour)
	if got := s.take("a", Outcome_TAKEN); string(got.GetSealed()) != "tokens-0" {
		t.Errorf("got %q", got.GetSealed())
	}
	s.take("a", Outcome_TAKEN) // its answer was lost
	if again := s.take("b", Outcome_WAIT).GetAgainMs(); again != s.now.Add(Lease).UnixMilli() {
		t.Errorf("b waits until %d", again)
	}
	if s.put("b", "of b", "").GetLost() != true {
		t.Error("b puts what it has not taken")
	}
	open := s.put("a", "tokens-1", "account").GetOpen()
	if told := only[*login.Tell](s, open); string(told.GetAccount()) != "account" || told.GetNumber() != 1 || string(told.GetLogin()) != "login-1" {
		t.Errorf("told %v", told)
	}
	s.settle(open)
	s.take("b", Outcome_WAIT)
	s.now = s.now.Add(time.Hour)
	if got := s.take("b", Outcome_TAKEN); string(got.GetSealed()) != "tokens-1" {
		t.Errorf("got %q", got.GetSealed())
	}
	if reply := s.put("b", "tokens-2", ""); reply.GetLost() || len(reply.GetOpen()) > 0 {
		t.Errorf("nothing was said, and told: %v", reply)
	}
}

// TestTokensThatDoNotComeBack end the login once, whoever notices.
func TestTokensThatDoNotComeBack(t *testing.T) {
	for name, notice := range map[string]func(s *story) []*intent.Intent{
		"the next user": func(s *story) []*intent.Intent { return s.take("b", Outcome_LOST).GetOpen() },
		"the sweep": func(s *story) []*intent.Intent {
			s.Helper()
			commit, err := intent.Encode(s.state)
			if err != nil {
				s.Fatal(err)
			}
			command := sweep(cluster.Head{Schema: commit.Schema, State: commit.State}, actors.Times{Now: s.now, Confirmed: s.now})
			m, ok := command.(*Expire)
			if !ok {
				s.Fatalf("the sweep sends %T", command)
			}
			do[*ExpireReply](s, s.state.expire(m, s.promises()))
			return s.state.GetOpen()
		},
		"the user, who knows": func(s *story) []*intent.Intent {
			return do[*LoseReply](s, s.state.lose(&Lose{Lease: []byte("a")}, s.promises())).GetOpen()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t)
			s.now = start.Add(time.Hour)
			s.take("a", Outcome_TAKEN)
			s.now = s.now.Add(Lease)
			open := notice(s)
			if end := only[*login.End](s, open); end.GetHow() != login.How_INVALIDATED || string(end.GetLogin()) != "login-1" || end.GetMvpd() != "cable" {
				t.Errorf("ended as %v", end)
			}
			if !s.put("a", "too late", "").GetLost() {
				t.Error("tokens came back too late, and count")
			}
			s.take("c", Outcome_NONE)
			s.keep() // repeated
			s.take("c", Outcome_NONE)
			if len(s.state.GetSealed())+len(s.state.GetLease()) > 0 || len(s.state.GetOpen()) != 1 {
				t.Errorf("left: %v", s.state)
			}
			s.settle(open)
			s.now = s.now.Add(remembered)
			do[*ExpireReply](s, s.state.expire(&Expire{}, s.promises()))
			if proto.Size(s.state) > 0 {
				t.Errorf("a day later: %v", s.state)
			}
		})
	}
}

// TestTokensThatComeBackLate count if nobody has noticed.
func TestTokensThatComeBackLate(t *testing.T) {
	s := newStory(t)
	s.now = start.Add(time.Hour)
	s.take("a", Outcome_TAKEN)
	s.now = s.now.Add(2 * Lease)
	if s.put("a", "tokens-1", "").GetLost() {
		t.Fatal("lost")
	}
	s.now = s.now.Add(time.Hour)
	s.take("b", Outcome_TAKEN)
}

func TestTokensThatWereNotUsed(t *testing.T) {
	s := newStory(t)
	s.now = start.Add(time.Hour)
	s.take("a", Outcome_TAKEN)
	again := s.now.Add(time.Minute)
	do[*ReleaseReply](s, s.state.release(&Release{Lease: []byte("b"), DueMs: 0}))
	s.take("b", Outcome_WAIT)
	do[*ReleaseReply](s, s.state.release(&Release{Lease: []byte("a"), DueMs: again.UnixMilli()}))
	s.take("b", Outcome_WAIT)
	s.now = again
	if got := s.take("b", Outcome_TAKEN); string(got.GetSealed()) != "tokens-0" {
		t.Errorf("got %q", got.GetSealed())
	}
}

// TestADroppedGrant is over, even before it began, and while its tokens are lent.
func TestADroppedGrant(t *testing.T) {
	s := newStory(t)
	s.now = start.Add(time.Hour)
	s.take("a", Outcome_TAKEN)
	do[*DropReply](s, s.state.drop(s.promises().At))
	if !s.put("a", "tokens-1", "account").GetLost() || len(s.state.GetSealed()) > 0 {
		t.Errorf("left: %v", s.state)
	}
	early := &story{T: t, state: &State{}, now: start}
	do[*DropReply](early, early.state.drop(early.promises().At))
	early.keep()
	early.now = start.Add(2 * time.Hour)
	early.take("a", Outcome_NONE)
}

// TestAGrantEndsWithItsLogin and leaves nothing.
func TestAGrantEndsWithItsLogin(t *testing.T) {
	s := newStory(t)
	s.now = start.Add(24 * time.Hour)
	s.take("a", Outcome_NONE)
	do[*ExpireReply](s, s.state.expire(&Expire{}, s.promises()))
	if proto.Size(s.state) > 0 {
		t.Errorf("left: %v", s.state)
	}
}

func TestRestoredGrants(t *testing.T) {
	restored := func(s *State) (*State, bool) {
		t.Helper()
		commit, err := intent.Encode(s)
		if err != nil {
			t.Fatal(err)
		}
		h, stays, err := Restored(cluster.Head{Schema: commit.Schema, State: commit.State}, &actors.Restore{Erased: func(actors.Address) bool { return false }})
		if err != nil {
			t.Fatal(err)
		}
		left, err := intent.Decode[State](h)
		if err != nil {
			t.Fatal(err)
		}
		return left, stays
	}
	s := newStory(t)
	if _, stays := restored(s.state); stays {
		t.Error("tokens of a backup are taken over")
	}
	s.now = start.Add(time.Hour)
	s.take("a", Outcome_TAKEN)
	s.now = s.now.Add(Lease)
	s.take("b", Outcome_LOST)
	if left, stays := restored(s.state); !stays || len(left.GetOpen()) != 1 || len(left.GetSealed()) > 0 {
		t.Errorf("the end of a login: %v, %v", left, stays)
	}
}

// TestTheTimeIsSetBack by a day: the grant is as it was then.
func TestTheTimeIsSetBack(t *testing.T) {
	s := newStory(t)
	s.now = start.Add(-24 * time.Hour)
	if !s.state.Cut(s.promises().At) || s.state.Cut(s.promises().At) {
		t.Error("not cut once")
	}
	s.take("a", Outcome_WAIT)
	s.now = s.now.Add(time.Hour)
	s.take("a", Outcome_TAKEN)
	s.now = s.now.Add(23 * time.Hour)
	s.take("b", Outcome_NONE)
}
