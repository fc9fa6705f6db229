package transport_test

import (
	"fmt"
	"testing"
)

// TestFramesAreUsedAgain: what was sent in a frame has left before there is
// something else in it.
func TestFramesAreUsedAgain(t *testing.T) {
	for name, options := range modes(t) {
		t.Run(name, func(t *testing.T) {
			a, b := pair(t, options...)
			again := 0
			for i := range 1000 {
				frame := a.Spare()
				if frame != nil {
					again++
				}
				a.Send(2, fmt.Appendf(frame, "%d", i))
				if i%3 > 0 {
					continue // up to three wait to be written
				}
				for j := max(0, i-2); j <= i; j++ {
					if got, want := receive(t, "a frame", b.frames), fmt.Sprint("1: ", j); got != want {
						t.Fatalf("got %q, want %q", got, want)
					}
				}
			}
			if again < 900 {
				t.Errorf("%d of 1000 frames were used again", again)
			}
		})
	}
}
