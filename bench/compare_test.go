package main

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"ssod/bench/paired"
	"ssod/bench/process"
)

// TestAComparisonIsJudgedByItsMark, if it has one, and one that was not measured
// reaches none.
func TestAComparisonIsJudgedByItsMark(t *testing.T) {
	plan := paired.Plan{Pairs: 2, Others: 0.1}
	rounds := func(one, other float64) paired.Ratio {
		r := paired.Round{{Cost: one}, {Cost: other}}
		return plan.Compare([]paired.Round{r, r}, paired.Between(0, 1))
	}
	for name, tt := range map[string]struct {
		row    DuelRow
		ratio  paired.Ratio
		passed bool
		says   string
	}{
		"reached":    {DuelRow{What: oneByOlder, Operation: mint, Connections: 64}, rounds(75, 100), true, "<= 0.75  PASS"},
		"missed":     {DuelRow{What: oneByOlder, Operation: mint, Connections: 64}, rounds(76, 100), false, "<= 0.75  FAIL"},
		"unmeasured": {DuelRow{What: oneByOlder, Operation: mint, Connections: 64}, rounds(math.NaN(), 1), false, "<= 0.75  not measured"},
		"unmarked":   {DuelRow{What: oneByOlder, Operation: mint, Connections: 512}, rounds(2, 1), true, "2.00   -     2       0"},
	} {
		var r DuelReport
		r.add(tt.row.What, tt.row.Operation, tt.row.Connections, tt.ratio)
		var out bytes.Buffer
		r.print(&out)
		if r.passed() != tt.passed || !strings.Contains(out.String(), tt.says) {
			t.Errorf("%s: passed %v, want %v and %q:\n%s", name, r.passed(), tt.passed, tt.says, out.String())
		}
	}
}

func TestWhatHasAMarkIsWanted(t *testing.T) {
	for _, m := range duelMarks {
		if !marked(m.operation, m.connections) {
			t.Errorf("%s at %d is not wanted", m.operation, m.connections)
		}
	}
	if marked(mint, 512) {
		t.Error("mint at 512 connections is wanted and has no mark")
	}
}

// TestWhatRunsBesideIsNotMeasured at a place, but is no stranger there.
func TestWhatRunsBesideIsNotMeasured(t *testing.T) {
	p := func() *process.Process {
		started, err := process.Start(nil, "sleep", "600")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := started.Kill(); err != nil {
				t.Error(err)
			}
		})
		return started
	}
	one, other := &side{}, &side{}
	a, b := server{processes: []*process.Process{p()}}, server{processes: []*process.Process{p(), p()}}
	at := places(place{"", one, a}, place{"", one, a}, place{"", other, b})
	for i, want := range []int{2, 2, 1} {
		if got := len(at[i].to.beside); got != want {
			t.Errorf("place %d: %d processes beside, want %d", i, got, want)
		}
	}
}
