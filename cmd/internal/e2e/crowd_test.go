package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"ssod/cmd/internal/ssodtest"
)

// TestACrowdInOneRealmIsServed has 600 connections make and spend link codes in one
// realm, whose codes are one entity's: nobody is turned away for want of a place in
// its queue, on one node and, in a long run, on three. A long run goes on for
// minutes, and then the memory counts, too.
func TestACrowdInOneRealmIsServed(t *testing.T) {
	t.Parallel()
	for _, nodes := range []int{1, 3}[:volume(1, 2)] {
		t.Run(strconv.Itoa(nodes), func(t *testing.T) {
			got, out := crowd(t, nodes)
			for _, r := range got.Rows {
				// A machine that stalls answers a few too late.
				if all := r.Accepted + r.Unavailable; all == 0 || 10*r.Unavailable > all {
					t.Errorf("%s: %d of %d were answered 503:\n%s", r.Operation, r.Unavailable, all, out)
				}
			}
			for i, n := range got.Nodes {
				if n.NotAdmitted != 0 {
					t.Errorf("n%d turned %d commands away:\n%s", i+1, n.NotAdmitted, out)
				}
				if ssodtest.Long() && n.Peak > mostMemory>>20 {
					t.Errorf("n%d took %d MiB, want %d at most:\n%s", i+1, n.Peak, mostMemory>>20, out)
				}
			}
		})
	}
}

// crowdReport is what the bench says of a crowd.
type crowdReport struct {
	Rows []struct {
		Operation             string
		Accepted, Unavailable int
	}
	Nodes []struct {
		Peak        int `json:"peak_rss_mib"`
		NotAdmitted int `json:"not_admitted"`
	}
}

// crowd runs the bench of a crowd.
func crowd(t *testing.T, nodes int) (r crowdReport, out []byte) {
	t.Helper()
	ssod, err := ssodtest.SSOD()
	must(t, err)
	bench, err := ssodtest.Bench()
	must(t, err)
	report := filepath.Join(t.TempDir(), "report.json")
	out, err = exec.Command(bench, "crowd", "--ssod", ssod, "--json", report, "--nodes", strconv.Itoa(nodes),
		"--connections", "600", "--members", strconv.Itoa(volume(1200, 20_000)), "--for", strconv.Itoa(volume(3, 240))+"s").CombinedOutput()
	if err != nil {
		t.Fatalf("ssobench crowd: %v\n%s", err, out)
	}
	raw, err := os.ReadFile(report)
	must(t, err)
	must(t, json.Unmarshal(raw, &r))
	return r, out
}
