package process

import (
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestParseCPU(t *testing.T) {
	stat := "4711 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 1 0 100 0 0\n"
	got, err := parseCPU([]byte(stat))
	if want := 3 * time.Second; err != nil || got != want {
		t.Fatalf("parseCPU: got %v %v, want %v", got, err, want)
	}
	if _, err := parseCPU([]byte("4711 (x) S 1")); err == nil {
		t.Fatal("parseCPU of a short line: got no error")
	}
}

func TestProcessIsWatchedAndKilled(t *testing.T) {
	sleep, err := Start(os.Stderr, "sleep", "600")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sleep.CPU(); err != nil {
		t.Error(err)
	}
	if rss, err := sleep.RSS(); err != nil || rss <= 0 {
		t.Errorf("RSS: got %d %v, want a positive number", rss, err)
	}
	if err := sleep.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-sleep.Exited():
	default:
		t.Fatal("Kill returned before the process had ended")
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

func TestFreeAddressesDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 20 {
		addrs, err := FreeAddresses(5)
		if err != nil {
			t.Fatal(err)
		}
		for _, addr := range addrs {
			if seen[addr] {
				t.Fatalf("%s was given twice", addr)
			}
			seen[addr] = true
		}
	}
}
