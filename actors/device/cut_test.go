package device

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/cluster"
)

// A login that was made by a clock that was ahead lasts as long as it would have,
// from now on; what is promised goes on, and the sweep has it written.
func TestADeviceOfTheFutureIsCut(t *testing.T) {
	const ahead = 410 * day
	then, at := start.Add(ahead), actors.Times{Now: start, Confirmed: start}
	s := &State{
		Logins: []*Regular{
			{Login: &login.Login{Id: []byte("a"), NotBeforeMs: then.UnixMilli(), NotAfterMs: then.Add(30 * day).UnixMilli(), InvalidatedMs: then.UnixMilli()}},
			{Login: &login.Login{Id: []byte("b"), NotBeforeMs: start.Add(-day).UnixMilli(), NotAfterMs: start.Add(day).UnixMilli()}},
		},
		SessionUntilMs: then.UnixMilli(),
		Ended:          []*login.Ended{{Id: []byte("c"), UntilMs: then.UnixMilli()}},
		Open:           []*intent.Intent{{Id: []byte("d"), MadeMs: then.UnixMilli()}},
	}
	commit, err := intent.Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	if got := sweep(cluster.Head{Schema: commit.Schema, State: commit.State}, at); !proto.Equal(got, &Expire{Cut: true}) {
		t.Errorf("the sweep sends %v", got)
	}
	if !s.Cut(at) || s.Cut(at) || s.Cut(actors.Times{Now: start.Add(time.Hour), Confirmed: start.Add(time.Hour)}) {
		t.Error("cut once and no more")
	}
	a, b := s.Logins[0].GetLogin(), s.Logins[1].GetLogin()
	if a.NotBeforeMs != start.UnixMilli() || a.NotAfterMs != start.Add(30*day).UnixMilli() || a.InvalidatedMs != start.UnixMilli() {
		t.Errorf("the login of the future: %v", a)
	}
	if b.NotAfterMs != start.Add(day).UnixMilli() {
		t.Errorf("the other login: %v", b)
	}
	if !intent.Overdue(s.Open, start.Add(time.Minute)) {
		t.Error("a promise is never overdue")
	}
	if got := len(login.Current(s.Ended, actors.Times{Now: start.Add(25 * time.Hour), Confirmed: start.Add(25 * time.Hour)})); got != 0 {
		t.Errorf("%d ended logins are remembered for ever", got)
	}
	if d := s.expire(&Expire{Cut: true}, at); d.Next == nil {
		t.Error("what was cut is not written")
	}
}

// A leap that is not confirmed drops no login that is over.
func TestAnUnconfirmedLeapDropsNoLogin(t *testing.T) {
	s := &State{Logins: []*Regular{{Login: &login.Login{Id: []byte("a"), NotAfterMs: start.UnixMilli()}}}}
	leapt := actors.Times{Now: start.Add(410 * day), Confirmed: start.Add(day)}
	if s.expired(leapt) != nil {
		t.Error("the login is dropped")
	}
	if s.expired(actors.Times{Now: leapt.Now, Confirmed: leapt.Now}) == nil {
		t.Error("it is kept although the leap is confirmed")
	}
}
