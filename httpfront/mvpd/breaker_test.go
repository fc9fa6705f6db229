package mvpd

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// moody answers as it is told.
type moody struct {
	err   error
	asked int
}

func (m *moody) Decide(context.Context, Question) ([]Decision, error) {
	m.asked++
	return []Decision{{Verdict: Permit}}, m.err
}

func TestADecisionPointThatFailsIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("down")
		point := &moody{err: down}
		d := Break(point, "cable", slog.New(slog.DiscardHandler))
		ask := func() error {
			_, err := d.Decide(t.Context(), Question{})
			return err
		}
		for range failuresToOpen {
			if err := ask(); !errors.Is(err, down) {
				t.Fatalf("got %v, want %v", err, down)
			}
		}
		if err := ask(); err == nil || errors.Is(err, down) {
			t.Errorf("after %d failures: %v, want an error of the breaker", failuresToOpen, err)
		}
		if point.asked != failuresToOpen {
			t.Errorf("it was asked %d times, want %d", point.asked, failuresToOpen)
		}

		time.Sleep(openFor + time.Millisecond) // in the bubble
		if err := ask(); !errors.Is(err, down) {
			t.Errorf("after %v: %v, want another try", openFor, err)
		}
		time.Sleep(openFor + time.Millisecond) // in the bubble
		point.err = nil
		for range 3 {
			if err := ask(); err != nil {
				t.Errorf("it answers again: %v", err)
			}
		}
	})
}

// TestCallersThatGoAwayOpenNothing asks for callers that do not wait.
func TestCallersThatGoAwayOpenNothing(t *testing.T) {
	point := &moody{err: context.Canceled}
	d := Break(point, "cable", slog.New(slog.DiscardHandler))
	for range 3 * failuresToOpen {
		_, _ = d.Decide(t.Context(), Question{})
	}
	if point.asked != 3*failuresToOpen {
		t.Errorf("it was asked %d times of %d", point.asked, 3*failuresToOpen)
	}
}
