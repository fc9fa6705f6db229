package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"ssod/cmd/internal/ssodtest"
)

// TestBenchMeasuresACluster runs the bench of a cluster for a moment: a request
// at the owner takes no hop, one at another node takes one.
func TestBenchMeasuresACluster(t *testing.T) {
	t.Parallel()
	ssod, err := ssodtest.SSOD()
	must(t, err)
	bench, err := ssodtest.Bench()
	must(t, err)
	report := filepath.Join(t.TempDir(), "report.json")
	out, err := exec.Command(bench, "cluster", "--ssod", ssod, "--json", report, "--connections", "8", "--members", "600",
		"--rounds", "1", "--slice", "100ms", "--warm", "10ms", "--calm", "0s", "--idle", "100ms").CombinedOutput()
	if err != nil {
		t.Fatalf("ssobench cluster: %v\n%s", err, out)
	}
	raw, err := os.ReadFile(report)
	must(t, err)
	var got struct {
		Rows []struct {
			Operation, Where string
			CPU              *float64 `json:"cpu_us"` // nil: not measured
			Hops             *float64
		}
	}
	must(t, json.Unmarshal(raw, &got))
	hops := map[string]float64{"at the owner": 0, "at another node": 1}
	for _, r := range got.Rows {
		if r.CPU == nil || r.Hops == nil {
			t.Errorf("%s %s was not measured:\n%s", r.Operation, r.Where, out)
			continue
		}
		// A machine that stalls lets some requests be sent on once more.
		if want, ok := hops[r.Where]; ok && (*r.Hops < want || *r.Hops > want+0.2) {
			t.Errorf("%s %s: %v hops, want %v", r.Operation, r.Where, *r.Hops, want)
		}
		if *r.CPU <= 0 {
			t.Errorf("%s %s costs %v us", r.Operation, r.Where, *r.CPU)
		}
	}
	if len(got.Rows) != 16 {
		t.Errorf("got %d rows, want 16:\n%s", len(got.Rows), out)
	}
}
