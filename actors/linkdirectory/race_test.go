//go:build race

package linkdirectory

import (
	"os/exec"
	"testing"
)

// Guessers and honest people play on one goroutine, where the race detector finds
// nothing and takes ten times as long: they play without it.
func TestWithoutTheRaceDetector(t *testing.T) {
	run := "^(TestWrongHitsOfGuessers|TestHonestPeopleAreNotRefused)$"
	out, err := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-timeout=1h", "-v", "-run", run, ".").CombinedOutput()
	if err != nil {
		t.Errorf("without the race detector: %v", err)
	}
	t.Logf("%s", out)
}
