package benchrun

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// build builds a program of this repository.
func build(t *testing.T, dir, name, source string) string {
	t.Helper()
	program := filepath.Join(dir, name)
	if out, err := exec.Command("go", "build", "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", source, err, out)
	}
	return program
}

// TestMarksCompareBuilds: everything that has a mark is measured, with this build in
// the place of the older one too. The figures say nothing.
func TestMarksCompareBuilds(t *testing.T) {
	older := t.TempDir() // as make reference leaves it
	ssod, bench := build(t, older, "ssod", "ssod/cmd/ssod"), build(t, t.TempDir(), "ssobench", "ssod/bench")
	report := filepath.Join(t.TempDir(), "report.json")
	out, err := exec.Command(bench, "marks", "--ssod", ssod, "--against", older, "--json", report, "--only", "hop,refresh,mint",
		"--pairs", "1", "--others", "100", "--members", "600", "--slice", "100ms", "--warm", "10ms",
		"--profiles", "100", "--calm", "0s", "--idle", "100ms", "--times", "2").CombinedOutput()
	if err != nil {
		t.Fatalf("ssobench marks: %v\n%s", err, out)
	}
	if got := bytes.Count(out, []byte("\nidle: n1 ")); got != 2 {
		t.Errorf("the idle cluster was watched %d times, want 2:\n%s", got, out)
	}
	raw, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Rows []struct {
			What            string
			Rounds, Dropped int
		}
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{}
	for _, r := range got.Rows {
		rows[r.What]++
		if r.Rounds+r.Dropped == 0 {
			t.Errorf("%s was not tried", r.What)
		}
	}
	want := map[string]int{
		"hop of a refresh / older hop": 2, "five nodes / three nodes": 2, "one node / older one node": 3,
		"three nodes / older three nodes": 3, "three nodes / older one node": 3, "three nodes / one node": 3,
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s\n%s", diff, out)
	}
}
