package main

import (
	"encoding/json"
	"runtime/debug"
	"slices"
	"testing"
)

// TestReportsSayTheirCircumstances, all of them on the top level.
func TestReportsSayTheirCircumstances(t *testing.T) {
	c := circumstances("testdata/no-program")
	for name, report := range map[string]any{
		"run": Report{Circumstances: c}, "cluster": CostReport{Circumstances: c}, "against": DuelReport{Circumstances: c},
		"cold": ColdReport{Circumstances: c}, "crowd": CrowdReport{Circumstances: c},
	} {
		raw, err := json.Marshal(report)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"time", "go", "cpus", "gomaxprocs", "cpu_model", "ssobench_commit", "ssod_commit", "flags"} {
			if _, ok := got[key]; !ok {
				t.Errorf("%s: %s is missing in %s", name, key, raw)
			}
		}
	}
	if c.CPUs < 1 || c.Procs < 1 || c.Go == "" || c.Time.IsZero() || c.Ssod != "" || len(c.Flags) == 0 {
		t.Errorf("got %+v", c)
	}
}

func TestTheCommitOfABuild(t *testing.T) {
	settings := []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "c0ffee"}, {Key: "vcs.modified", Value: "false"}}
	dirty := append(slices.Clone(settings[:2]), debug.BuildSetting{Key: "vcs.modified", Value: "true"})
	for want, s := range map[string][]debug.BuildSetting{"c0ffee": settings, "c0ffee-dirty": dirty, "": nil} {
		if got := commit(&debug.BuildInfo{Settings: s}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestTheModelOfAProcessor(t *testing.T) {
	const two = "processor\t: 0\nmodel name\t: Fast CPU @ 3.0 GHz\nmodel\t\t: 6\n\nprocessor\t: 1\nmodel name\t: other\n"
	if got := cpuModel(two); got != "Fast CPU @ 3.0 GHz" {
		t.Errorf("got %q", got)
	}
	if got := cpuModel("processor\t: 0\n"); got != "" {
		t.Errorf("of a processor without a name: got %q", got)
	}
}
