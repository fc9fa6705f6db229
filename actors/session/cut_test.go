package session

import (
	"testing"
	"time"

	"ssod/actors"
)

// A session that was begun by a clock that was ahead is over when the time is set
// back, and its record goes as any other's.
func TestASessionOfTheFutureIsOver(t *testing.T) {
	s := begun(t, whole)
	back := s.now.Add(-410 * 24 * time.Hour)
	at := actors.Times{Now: back, Confirmed: back}
	if !s.state.Cut(at) || s.state.Cut(at) {
		t.Error("cut once and no more")
	}
	s.now = back
	if got := s.read(); got != Failure_OVER {
		t.Errorf("read: %v, want over", got)
	}
	do[*ExpireReply](s, s.state.expire(&Expire{Cut: true}, s.now))
	s.now = back.Add(remembered)
	do[*ExpireReply](s, s.state.expire(&Expire{}, s.now))
	if s.state.exists() {
		t.Error("the session is there for ever")
	}
}
