package process

import (
	"os"
	"testing"
	"time"
)

// TestUsageCountsWaitsAndCalls of this process, which reads a pipe that somebody
// else writes to.
func TestUsageCountsWaitsAndCalls(t *testing.T) {
	before, err := Look([]int{os.Getpid()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	const calls = 100
	go func() {
		defer w.Close()
		for range calls {
			if _, err := w.Write([]byte{1}); err != nil {
				return
			}
		}
	}()
	for b := make([]byte, 1); ; {
		if n, _ := r.Read(b); n == 0 { // the end
			break
		}
	}
	after, err := Look([]int{os.Getpid()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	used, others := after.Since(before)
	if used.CPU <= 0 || used.Calls < 2*calls || others < 0 || others > 1 {
		t.Errorf("got %+v and %v of others, want %d calls at least", used, others, 2*calls)
	}
	if _, err := UsageOf(1 << 30); err == nil {
		t.Error("the usage of a process that does not exist: got no error")
	}
}

func TestOthersAreWhatIsNotOurs(t *testing.T) {
	before := Machine{Busy: time.Second, Idle: time.Second}
	after := Machine{Busy: 4 * time.Second, Idle: 2 * time.Second}
	if got := Others(before, after, 2*time.Second); got != 0.25 {
		t.Errorf("got %v, want a quarter", got)
	}
	if got := Others(before, after, 4*time.Second); got != 0 {
		t.Errorf("ticks that were counted late: got %v, want 0", got)
	}
	if got := Others(before, before, 0); got != 0 {
		t.Errorf("no time: got %v, want 0", got)
	}
}
