package process

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"
)

func TestProcessIsWatchedAndKilled(t *testing.T) {
	sleep, err := Start(os.Stderr, "sleep", "600")
	if err != nil {
		t.Fatal(err)
	}
	// A process that has just been started may not have had a CPU yet.
	cpu, err := sleep.CPU()
	for deadline := time.Now().Add(time.Minute); err == nil && cpu == 0 && time.Now().Before(deadline); {
		runtime.Gosched()
		cpu, err = sleep.CPU()
	}
	if err != nil || cpu <= 0 || cpu%clockTick == 0 {
		t.Errorf("CPU: got %v, %v, want the nanoseconds of a start", cpu, err)
	}
	rss, err := sleep.RSS()
	peak, peakErr := sleep.PeakRSS()
	if err != nil || peakErr != nil || rss <= 0 || peak <= 0 {
		t.Errorf("RSS: got %d %v, at most %d %v, want positive numbers", rss, err, peak, peakErr)
	}
	if err := sleep.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-sleep.Exited():
	default:
		t.Fatal("Kill returned before the process had ended")
	}
	if cpu, err := sleep.CPU(); err == nil {
		t.Errorf("CPU of a process that has ended: got %v, want an error", cpu)
	}
}

func TestStopReportsHowTheProcessEnded(t *testing.T) {
	sleep, err := Start(os.Stderr, "sleep", "600")
	if err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := sleep.Stop(10 * time.Second); !errors.As(err, &exit) {
		t.Fatalf("Stop of a program that SIGTERM ends: got %v, want its exit status", err)
	}
}
