package process

import (
	"testing"
	"time"
)

func TestMachineCountsStealAsBusy(t *testing.T) {
	m, err := parseMachine([]byte("cpu  100 20 30 500 50 1 2 47 9 9\ncpu0 1 1 1 1 1 1 1 1 1 1\n"))
	if err != nil || m.Busy != 2*time.Second || m.Idle != 5500*time.Millisecond {
		t.Errorf("got %+v, %v, want 2 s busy and 5.5 s idle", m, err)
	}
	for _, bad := range []string{"", "cpu 1 2 3\n", "intr 1 2 3 4 5 6 7 8 9\n", "cpu 1 2 3 x 5 6 7 8\n"} {
		if m, err := parseMachine([]byte(bad)); err == nil {
			t.Errorf("%q: got %+v, want an error", bad, m)
		}
	}
}

func TestReadMachine(t *testing.T) {
	if m, err := ReadMachine(); err != nil || m.Busy <= 0 {
		t.Errorf("got %+v, %v", m, err)
	}
}
