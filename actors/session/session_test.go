package session

import (
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

func (s *story) open(name string) Failure {
	s.Helper()
	return s.openIn(name, name).Failure
}

// openIn opens the login in a browser, in a tab of its own.
func (s *story) openIn(browser, state string) *OpenReply {
	s.Helper()
	a := &Attempt{State: Digest("state of " + state), Browser: Digest("cookie of " + browser), Nonce: "nonce", Verifier: "verifier"}
	return do[*OpenReply](s, s.state.open(&Open{Attempt: a}, s.now))
}

func (s *story) comeBack(state, browser string) *ReturnReply {
	s.Helper()
	return do[*ReturnReply](s, s.state.comeBack(&Return{State: Digest("state of " + state), Browser: Digest("cookie of " + browser)}, s.now))
}

func (s *story) finish(state, browser string) *FinishReply {
	s.Helper()
	m := &Finish{
		State: Digest("state of " + state), Browser: Digest("cookie of " + browser),
		Login: &login.Login{Id: []byte(state), Mvpd: "cable"},
	}
	return do[*FinishReply](s, s.state.finish(m, &intent.Place{}, &intent.Promises{At: actors.At(s.now)}))
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
		if got := s.open("tab"); got != tt.want {
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
	if got := s.open("tab"); got != Failure_INCOMPLETE {
		t.Errorf("open: got %v, want %v", got, Failure_INCOMPLETE)
	}
	amend := func(p *Parameters) *View { return do[*View](s, s.state.amend(&Amend{Parameters: p}, s.now)) }
	amend(&Parameters{DomainName: "old.example"})
	got := amend(&Parameters{DomainName: "tv.example", RedirectUrl: "https://tv.example/done"})
	if diff := cmp.Diff(whole, got.Parameters, protocmp.Transform()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got := s.open("tab"); got != Failure_OK {
		t.Errorf("open when complete: got %v", got)
	}
}

// The states of a login against who comes back from the MVPD.
func TestWhoMayFinish(t *testing.T) {
	opened := func(s *story) { s.open("phone"); s.open("tab") }
	tests := []struct {
		name           string
		before         func(*story)
		state, browser string
		want           Failure
	}{
		{"the browser that opened it", opened, "phone", "phone", Failure_OK},
		{"another tab of it", opened, "tab", "tab", Failure_OK},
		{"nobody opened it", func(*story) {}, "phone", "phone", Failure_STRANGER},
		{"a state of its own making", opened, "guess", "phone", Failure_STRANGER},
		{"somebody else's state: login CSRF", opened, "phone", "tab", Failure_STRANGER},
		{"without the cookie", opened, "phone", "", Failure_STRANGER},
		{"too late", func(s *story) { opened(s); s.after(ttl) }, "phone", "phone", Failure_OVER},
		{"twice", func(s *story) { opened(s); s.finish("phone", "phone") }, "phone", "phone", Failure_OK},
		{"twice, too late", func(s *story) { opened(s); s.finish("phone", "phone"); s.after(ttl) }, "phone", "phone", Failure_OVER},
		{"after another browser", func(s *story) { opened(s); s.finish("tab", "tab") }, "phone", "phone", Failure_OVER},
		{"after another tab", func(s *story) { opened(s); s.openIn("phone", "second"); s.finish("second", "phone") }, "phone", "phone", Failure_OK},
		{"in the other tab", func(s *story) { opened(s); s.openIn("phone", "second"); s.finish("phone", "phone") }, "second", "phone", Failure_OK},
		{"after another tab, too late", func(s *story) { opened(s); s.openIn("phone", "second"); s.finish("second", "phone"); s.after(ttl) }, "phone", "phone", Failure_OVER},
		{"after another tab, without the cookie", func(s *story) { opened(s); s.openIn("phone", "second"); s.finish("second", "phone") }, "phone", "", Failure_STRANGER},
		{"after another tab, with a guessed state", func(s *story) { opened(s); s.finish("phone", "phone") }, "guess", "phone", Failure_STRANGER},
		{"after another tab, somebody else's state", func(s *story) { opened(s); s.finish("phone", "phone") }, "tab", "phone", Failure_STRANGER},
		{"after another tab, superseded", func(s *story) {
			opened(s)
			s.openIn("phone", "second")
			s.finish("second", "phone")
			do[proto.Message](s, s.state.supersede())
		}, "phone", "phone", Failure_OVER},
		{"superseded", func(s *story) { opened(s); do[proto.Message](s, s.state.supersede()) }, "phone", "phone", Failure_OVER},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := begun(t, whole)
			tt.before(s)
			done := s.state.Stage == Stage_FINISHED
			if got := s.comeBack(tt.state, tt.browser); got.Failure != tt.want || got.Finished != (done && tt.want == Failure_OK) {
				t.Errorf("come back: got %v, finished %v, want %v", got.Failure, got.Finished, tt.want)
			}
			got := s.finish(tt.state, tt.browser)
			if got.Failure != tt.want {
				t.Errorf("finish: got %v, want %v", got.Failure, tt.want)
			}
			if promised := len(got.Open) == 1; promised != (tt.want == Failure_OK && !done) {
				t.Errorf("finish made %d promises", len(got.Open))
			}
		})
	}
}

// TestOpenAfterTheLogin: the link, opened anew where the login was made, is no
// error and begins nothing; elsewhere it is over.
func TestOpenAfterTheLogin(t *testing.T) {
	s := begun(t, whole)
	s.open("phone")
	s.finish("phone", "phone")
	before := s.state
	got := s.openIn("phone", "second")
	if got.Failure != Failure_OK || !got.Finished || got.Parameters.GetRedirectUrl() != whole.RedirectUrl || s.state != before {
		t.Errorf("the same browser: got %v, state changed %v", got, s.state != before)
	}
	if got := s.openIn("tab", "third"); got.Failure != Failure_OVER || got.Finished {
		t.Errorf("another browser: got %v", got)
	}
	if got := s.after(ttl).openIn("phone", "second"); got.Failure != Failure_OVER || got.Finished {
		t.Errorf("too late: got %v", got)
	}
}

func TestAFinishedSessionIsReadOnly(t *testing.T) {
	s := begun(t, whole)
	s.open("tab")
	s.finish("tab", "tab")
	if got := s.read(); got != Failure_OK {
		t.Errorf("read: got %v", got)
	}
	if got := do[*View](s, s.state.amend(&Amend{Parameters: &Parameters{Mvpd: "other"}}, s.now)).Failure; got != Failure_OVER {
		t.Errorf("amend: got %v, want %v", got, Failure_OVER)
	}
	if got := s.open("later"); got != Failure_OVER {
		t.Errorf("open: got %v, want %v", got, Failure_OVER)
	}
	if got := s.state.Attempts[0]; got.Nonce+got.Verifier != "" {
		t.Error("secrets of the protocol are kept after the login")
	}
	if s.after(ttl).read() != Failure_OVER {
		t.Error("the session can be read after its end")
	}
}

func TestAttemptsAreBounded(t *testing.T) {
	s := begun(t, whole)
	s.open("first")
	for i := range maxAttempts {
		s.open(string(rune('a' + i)))
	}
	if got := s.comeBack("first", "first").Failure; got != Failure_STRANGER {
		t.Errorf("the first of too many: got %v", got)
	}
	if got := s.comeBack("h", "h").Failure; got != Failure_OK {
		t.Errorf("the last one: got %v", got)
	}
}

// A session with an open intent is neither dropped nor forgotten by the sweep.
func TestTheSweepWakesAndDrops(t *testing.T) {
	s := begun(t, whole)
	s.open("tab")
	open := s.finish("tab", "tab").Open
	look := func() string {
		commit, err := intent.Encode(s.state)
		if err != nil {
			t.Fatal(err)
		}
		if m := sweep(cluster.Head{Schema: commit.Schema, State: commit.State}, actors.At(s.now)); m != nil {
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
	s.open("tab")
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
