package node

import (
	"testing"
	"time"
)

func TestOrphansAreOverdueAfterAGrace(t *testing.T) {
	var o orphans
	now := time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)
	want := func(after time.Duration, n int) {
		t.Helper()
		if got := o.overdue(now.Add(after)); got != n {
			t.Errorf("after %v: got %d, want %d", after, got, n)
		}
	}
	o.note(1, true, now)
	o.note(2, false, now)
	want(ownerGrace, 0)
	want(ownerGrace+1, 1)
	o.note(2, false, now.Add(time.Second)) // still
	want(ownerGrace+1, 1)
	o.note(2, true, now.Add(time.Second))
	want(time.Hour, 0)
	o.note(2, false, now.Add(2*time.Second)) // once more
	want(2*time.Second+ownerGrace, 0)
}
