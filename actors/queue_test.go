package actors

import (
	"testing"
	"time"
)

// TestPaceIsThatOfTheLast: each answer tells how long one took of those that were
// in flight with it.
func TestPaceIsThatOfTheLast(t *testing.T) {
	var q queue
	if got := q.drain(128, time.Second); got != 500*time.Millisecond {
		t.Errorf("before the first answer 128 take %v, want half a second", got)
	}
	q.observe(10*time.Millisecond, 10)
	if got := q.drain(5, time.Second); got != 5*time.Millisecond {
		t.Errorf("five at a millisecond each take %v", got)
	}
	for range 100 { // one commit answers a hundred
		q.observe(10*time.Millisecond, 100)
	}
	if got := q.drain(1000, time.Second); got < 100*time.Millisecond || got > 101*time.Millisecond {
		t.Errorf("a thousand at a hundred in 10 ms take %v", got)
	}
	q.observe(0, 1)
	for range 200 {
		q.observe(0, 1)
	}
	if got := q.drain(1, time.Second); got <= 0 || got > time.Microsecond {
		t.Errorf("one that takes no time: %v, want nearly nothing and not an unknown pace", got)
	}
}

func TestAdmits(t *testing.T) {
	const now = int64(time.Hour)
	b := bound{atOnce: 4, wait: time.Second, bytes: 1000}
	tests := []struct {
		name  string
		depth int32
		bytes int64
		each  time.Duration
		still time.Duration
		want  refusal
	}{
		{"nothing waits", 0, 0, 0, 0, refusal{}},
		{"the first, however large", 0, 1000, 0, 0, refusal{}},
		{"at once, however slow", 3, 0, time.Minute, time.Hour, refusal{}},
		{"the last that is in time", 9, 0, 100 * time.Millisecond, 0, refusal{}},
		{"the first that is not", 10, 0, 100 * time.Millisecond, 0, refusal{refusedTime, 1100 * time.Millisecond}},
		{"a fast one takes thousands", 9999, 0, 100 * time.Microsecond, 0, refusal{}},
		{"pace unknown", 255, 0, 0, 0, refusal{}},
		{"pace unknown, one more", 256, 0, 0, 0, refusal{refusedTime, 257 * time.Second / 256}},
		{"fast until it stopped", 100, 0, time.Microsecond, 3 * time.Second, refusal{refusedStall, 3 * time.Second}},
		{"bytes", 2, 901, time.Millisecond, 0, refusal{refusedBytes, 3 * time.Millisecond}},
		{"bytes that fit", 2, 900, time.Millisecond, 0, refusal{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var q queue
			q.depth.Store(tt.depth)
			q.bytes.Store(tt.bytes)
			q.each.Store(int64(tt.each))
			q.moved.Store(now - int64(tt.still))
			got := q.admits(b, 100, func() int64 { return now })
			if got.why != tt.want.why || (got.after-tt.want.after).Abs() > time.Microsecond {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}
