package actors

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// TestOverloadCrossesTheWire: who asks another node hears when to ask again, as on
// the owner's own.
func TestOverloadCrossesTheWire(t *testing.T) {
	payload, err := appendAnswer(nil, 7, answer{code: Code_OVERLOADED, after: 1500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	number, ans, err := decodeAnswer(payload)
	if err != nil || number != 7 || ans.code != Code_OVERLOADED || ans.after != 1500*time.Millisecond {
		t.Errorf("got %d, %+v, %v, want OVERLOADED for a second and a half", number, ans, err)
	}
	if _, _, err := decodeAnswer(payload[:len(payload)-1]); err == nil {
		t.Error("an answer that is cut short is taken")
	}
}

func TestOverloadedError(t *testing.T) {
	err := fmt.Errorf("ask: %w", &OverloadedError{RetryAfter: 1234567 * time.Microsecond})
	if !errors.Is(err, ErrOverloaded) || errors.Is(err, ErrUnavailable) || err.Error() != "ask: entity overloaded for 1.235s" {
		t.Errorf("got %q, want an ErrOverloaded that says when", err)
	}
	if got := (&OverloadedError{}).Error(); got != ErrOverloaded.Error() {
		t.Errorf("without a time: %q", got)
	}
}
