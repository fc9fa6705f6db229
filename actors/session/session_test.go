package session

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/cluster"
)

var start = time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)

const ttl = 30 * time.Minute

// story plays commands to one session, as its actor would when every commit is
// applied at once. Its state passes through its encoding with every change.
type story struct {
	*testing.T
	state *State
	now   time.Time
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

var whole = &Parameters{Mvpd: "cable", DomainName: "tv.example", RedirectUrl: "https://tv.example/done"}

func begun(t *testing.T, p *Parameters) *story {
	s := &story{T: t, state: &State{}, now: start}
	do[*CreateReply](s, s.state.create(&Create{Parameters: p, Party: &Party{ServiceProvider: "tv"}, TtlMs: ttl.Milliseconds()}, s.now))
	return s
}

func (s *story) after(d time.Duration) *story { s.now = s.now.Add(d); return s }

func (s *story) open(browser string) *OpenReply {
	s.Helper()
	return do[*OpenReply](s, s.state.open(&Open{Browser: Digest(browser)}, s.now))
}

func (s *story) finish(browser string) *FinishReply {
	s.Helper()
	m := &Finish{Browser: Digest(browser), Login: &login.Login{Id: []byte("id"), Mvpd: "cable"}}
	return do[*FinishReply](s, s.state.finish(m, &intent.Place{}, &intent.Promises{At: actors.Times{Now: s.now, Confirmed: s.now}}))
}

func (s *story) decline() Failure {
	s.Helper()
	return do[*DeclineReply](s, s.state.decline(s.now)).Failure
}

func (s *story) read() Failure {
	s.Helper()
	return do[*View](s, s.state.read(s.now)).Failure
}

func TestACodeIsGivenOnce(t *testing.T) {
	s := begun(t, whole)
	again := &Create{Parameters: &Parameters{}, TtlMs: ttl.Milliseconds()}
	if got := do[*CreateReply](s, s.state.create(again, s.now)).Failure; got != Failure_TAKEN {
		t.Errorf("create with a code in use: got %v", got)
	}
	if got := do[*CreateReply](s, s.state.create(again, s.now.Add(ttl))).Failure; got != Failure_TAKEN {
		t.Errorf("create with a code that is over: got %v", got)
	}
}

func TestHowLongASessionCanBeUsed(t *testing.T) {
	for _, tt := range []struct {
		after time.Duration
		want  Failure
	}{{0, Failure_OK}, {ttl - time.Millisecond, Failure_OK}, {ttl, Failure_OVER}, {ttl + remembered - time.Millisecond, Failure_OVER}} {
		s := begun(t, whole).after(tt.after)
		do[*ExpireReply](s, s.state.expire(&Expire{}, s.now))
		if got := s.read(); got != tt.want {
			t.Errorf("read after %v: got %v, want %v", tt.after, got, tt.want)
		}
		if got := s.open("tab").Failure; got != tt.want {
			t.Errorf("open after %v: got %v, want %v", tt.after, got, tt.want)
		}
	}
	s := begun(t, whole).after(ttl + remembered)
	do[*ExpireReply](s, s.state.expire(&Expire{}, s.now))
	if got := s.read(); got != Failure_UNKNOWN {
		t.Errorf("read long after: got %v, want %v", got, Failure_UNKNOWN)
	}
}

func TestParametersAccumulate(t *testing.T) {
	s := begun(t, &Parameters{Mvpd: "cable"})
	if got := s.open("tab").Failure; got != Failure_INCOMPLETE {
		t.Errorf("open: got %v, want %v", got, Failure_INCOMPLETE)
	}
	amend := func(p *Parameters) *View { return do[*View](s, s.state.amend(&Amend{Parameters: p}, s.now)) }
	amend(&Parameters{DomainName: "old.example"})
	got := amend(&Parameters{DomainName: "tv.example", RedirectUrl: "https://tv.example/done"})
	if diff := cmp.Diff(whole, got.Parameters, protocmp.Transform()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got := s.open("tab").Failure; got != Failure_OK {
		t.Errorf("open when complete: got %v", got)
	}
}

// The states of a login against who opens it, or comes back from the MVPD.
func TestWhoMayFinish(t *testing.T) {
	tests := []struct {
		name    string
		before  func(*story)
		browser string
		want    Failure
		done    bool
	}{
		{"the first", func(*story) {}, "phone", Failure_OK, false},
		{"too late", func(s *story) { s.after(ttl) }, "phone", Failure_OVER, false},
		{"twice, or in another tab", func(s *story) { s.finish("phone") }, "phone", Failure_OK, true},
		{"twice, too late", func(s *story) { s.finish("phone"); s.after(ttl) }, "phone", Failure_OVER, false},
		{"after another browser", func(s *story) { s.finish("tablet") }, "phone", Failure_OVER, false},
		{"superseded", func(s *story) { do[proto.Message](s, s.state.supersede()) }, "phone", Failure_OVER, false},
		{"done, then superseded", func(s *story) { s.finish("phone"); do[proto.Message](s, s.state.supersede()) }, "phone", Failure_OVER, false},
		{"declined", func(s *story) { s.decline() }, "phone", Failure_OVER, false},
		{"declined after the login", func(s *story) { s.finish("phone"); s.decline() }, "phone", Failure_OK, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := begun(t, whole)
			tt.before(s)
			if got := s.open(tt.browser); got.Failure != tt.want || got.Finished != tt.done || tt.want == Failure_OK && got.Parameters.GetRedirectUrl() != whole.RedirectUrl {
				t.Errorf("open: got %v, finished %v, want %v, %v", got.Failure, got.Finished, tt.want, tt.done)
			}
			got := s.finish(tt.browser)
			if got.Failure != tt.want {
				t.Errorf("finish: got %v, want %v", got.Failure, tt.want)
			}
			if promised := len(got.Open) == 1; promised != (tt.want == Failure_OK && !tt.done) {
				t.Errorf("finish made %d promises", len(got.Open))
			}
		})
	}
}

// TestOpeningChangesNothing: whoever has a code may open it in as many browsers as
// he likes; the first change is the login's, and there is one.
func TestOpeningChangesNothing(t *testing.T) {
	s := begun(t, whole)
	before := s.state
	for i := range 1000 {
		if got := s.open(fmt.Sprint(i)); got.Failure != Failure_OK || s.state != before {
			t.Fatalf("browser %d: got %v, state changed %v", i, got.Failure, s.state != before)
		}
	}
	s.finish("7")
	finished := s.state
	if finished == before {
		t.Error("the login changed nothing")
	}
	for i := range 1000 {
		if s.open(fmt.Sprint(i)); s.state != finished {
			t.Fatalf("browser %d changed a session that is over", i)
		}
		if s.finish(fmt.Sprint(i)); s.state != finished {
			t.Fatalf("browser %d finished a session that is over", i)
		}
	}
	for name, command := range map[string]proto.Message{"Open": &Open{}, "Read": &Read{}} {
		if !reads(command) {
			t.Errorf("%s is kept as an outcome", name)
		}
	}
}

// TestTheServicesOwnPage: nothing has to be there that a viewer chooses on it, and it is told
// how a session ended.
func TestTheServicesOwnPage(t *testing.T) {
	open := func(s *story) *OpenReply {
		return do[*OpenReply](s, s.state.open(&Open{Browser: Digest("phone"), Page: true}, s.now))
	}
	ends := map[string]struct {
		end   func(*story)
		stage Stage
	}{
		"expired":    {func(s *story) { s.after(ttl) }, Stage_OPEN},
		"finished":   {func(s *story) { s.finish("tablet") }, Stage_FINISHED},
		"superseded": {func(s *story) { do[proto.Message](s, s.state.supersede()) }, Stage_SUPERSEDED},
		"declined":   {func(s *story) { s.decline() }, Stage_DECLINED},
	}
	for name, tt := range ends {
		s := begun(t, &Parameters{})
		if got := s.open("phone").Failure; got != Failure_INCOMPLETE {
			t.Errorf("a link without parameters: %v", got)
		}
		if got := open(s); got.Failure != Failure_OK || got.Finished {
			t.Errorf("the page without parameters: %v", got)
		}
		tt.end(s)
		if got := open(s); got.Failure != Failure_OVER || got.Stage != tt.stage {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestAViewerDeclines ends a session that is open, once.
func TestAViewerDeclines(t *testing.T) {
	s := begun(t, whole)
	if got := s.decline(); got != Failure_OK {
		t.Errorf("got %v", got)
	}
	declined := s.state
	if got := s.decline(); got != Failure_OVER || s.state != declined {
		t.Errorf("once more: got %v, state changed %v", got, s.state != declined)
	}
	if got := s.read(); got != Failure_OVER {
		t.Errorf("the app reads: got %v, want %v", got, Failure_OVER)
	}
	if got := (&story{T: t, state: &State{}, now: start}).decline(); got != Failure_UNKNOWN {
		t.Errorf("a code that nobody has: got %v", got)
	}
}

// TestOutcomesAreSmall: what a device says of itself is in one record, and in no
// answer that is kept.
func TestOutcomesAreSmall(t *testing.T) {
	s := begun(t, whole)
	s.state.DeviceInfo = make([]byte, 8<<10)
	kept := []proto.Message{
		do[*View](s, s.state.amend(&Amend{Parameters: &Parameters{Mvpd: "other"}}, s.now)),
		s.finish("phone"), do[proto.Message](s, s.state.supersede()),
	}
	for _, m := range kept {
		if n := proto.Size(m); n > 1<<10 {
			t.Errorf("%T has %d bytes", m, n)
		}
	}
	s = begun(t, whole)
	s.state.DeviceInfo = []byte("{}")
	if got := do[*View](s, s.state.read(s.now)).DeviceInfo; string(got) != "{}" {
		t.Errorf("read: got %q", got)
	}
}

func TestAFinishedSessionIsReadOnly(t *testing.T) {
	s := begun(t, whole)
	s.finish("tab")
	if got := s.read(); got != Failure_OK {
		t.Errorf("read: got %v", got)
	}
	if got := do[*View](s, s.state.amend(&Amend{Parameters: &Parameters{Mvpd: "other"}}, s.now)).Failure; got != Failure_OVER {
		t.Errorf("amend: got %v, want %v", got, Failure_OVER)
	}
	if got := s.open("later").Failure; got != Failure_OVER {
		t.Errorf("open: got %v, want %v", got, Failure_OVER)
	}
	if s.after(ttl).read() != Failure_OVER {
		t.Error("the session can be read after its end")
	}
}

// A session with an open intent is neither dropped nor forgotten by the sweep.
func TestTheSweepWakesAndDrops(t *testing.T) {
	s := begun(t, whole)
	open := s.finish("tab").Open
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
	if got := look(); got != "" {
		t.Errorf("right after the login: %q", got)
	}
	s.after(ttl + remembered)
	if got := look(); got != "Resume" {
		t.Errorf("with an open intent: got %q, want Resume", got)
	}
	do[*intent.SettleReply](s, s.state.settle(&intent.Settle{Id: [][]byte{open[0].Id}}))
	if got := look(); got != "Expire" {
		t.Errorf("when settled: got %q, want Expire", got)
	}
}

func TestUnknownFieldsSurviveAChange(t *testing.T) {
	s := begun(t, whole)
	future := protowire.AppendString(protowire.AppendTag(nil, 900, protowire.BytesType), "written by a later version")
	s.state.ProtoReflect().SetUnknown(future)
	s.state.Parameters.ProtoReflect().SetUnknown(future)
	s.finish("tab")
	if got := s.state.ProtoReflect().GetUnknown(); string(got) != string(future) {
		t.Errorf("state: got %q", got)
	}
	if got := s.state.Parameters.ProtoReflect().GetUnknown(); string(got) != string(future) {
		t.Errorf("parameters: got %q", got)
	}
}

func TestAnUnknownSchemaIsRefused(t *testing.T) {
	if _, err := intent.Decode[State](cluster.Head{Schema: 2}); err == nil {
		t.Error("a record of a later format was read")
	}
}
