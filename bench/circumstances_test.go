package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// TestReportsSayTheirCircumstances, all of them on the top level.
func TestReportsSayTheirCircumstances(t *testing.T) {
	program := filepath.Join(t.TempDir(), "ssod")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho c0ffee-dirty $1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	c := circumstances(program)
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
		for _, key := range []string{"time", "go", "cpus", "gomaxprocs", "cpu_model", "ssod_version", "flags"} {
			if _, ok := got[key]; !ok {
				t.Errorf("%s: %s is missing in %s", name, key, raw)
			}
		}
	}
	if c.CPUs < 1 || c.Procs < 1 || c.Go == "" || c.Time.IsZero() || c.Ssod != "c0ffee-dirty --version" || len(c.Flags) == 0 {
		t.Errorf("got %+v", c)
	}
	if of := circumstances(""); of.Ssod != "" {
		t.Errorf("of a node that somebody else started: got version %q", of.Ssod)
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
