package plan_test

import (
	"testing"
	"time"

	"ssod/cluster/plan"
)

const ms = time.Millisecond

// judge shows a judge of disks the same every second for a while.
func judge(l *plan.Lag, now *time.Time, during time.Duration, own time.Duration, others ...time.Duration) (lags bool) {
	for end := now.Add(during); now.Before(end); *now = now.Add(time.Second) {
		lags = l.Judge(*now, own, others)
	}
	return lags
}

func TestADiskThatLags(t *testing.T) {
	tests := []struct {
		name   string
		own    time.Duration
		others []time.Duration
		want   bool
	}{
		{"as the others", 5 * ms, []time.Duration{5 * ms, 4 * ms}, false},
		{"much slower", 100 * ms, []time.Duration{5 * ms, 4 * ms}, true},
		{"much slower than quick ones, and quick", 15 * ms, []time.Duration{ms, ms}, false},
		{"four times slower", 80 * ms, []time.Duration{20 * ms, 20 * ms}, false},
		{"all are slow", 100 * ms, []time.Duration{90 * ms, 110 * ms}, false},
		{"half of them are", 100 * ms, []time.Duration{100 * ms, ms, 90 * ms}, false},
		{"two of five are", 100 * ms, []time.Duration{100 * ms, ms, ms, ms}, true},
		{"one other", 100 * ms, []time.Duration{ms}, true},
		{"nobody to compare with", 100 * ms, nil, false},
		{"others write nothing", 100 * ms, []time.Duration{0, 0}, false},
		{"only one other writes", 100 * ms, []time.Duration{0, ms}, true},
		{"nothing written", 0, []time.Duration{ms, ms}, false},
	}
	for _, tt := range tests {
		var l plan.Lag
		now := time.Unix(1e9, 0)
		if judge(&l, &now, 30*time.Second, tt.own, tt.others...) {
			t.Errorf("%s: lags before 30 s are over", tt.name)
		}
		if got := judge(&l, &now, 5*time.Second, tt.own, tt.others...); got != tt.want {
			t.Errorf("%s: lags: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// A while that is not slow begins anew what must last, and what is in between changes
// nothing.
func TestADiskThatLagsNowAndThen(t *testing.T) {
	var l plan.Lag
	now := time.Unix(1e9, 0)
	for range 5 {
		if judge(&l, &now, 25*time.Second, 100*ms, ms, ms) || judge(&l, &now, time.Second, ms, ms, ms) {
			t.Fatal("lags although it is quick in between")
		}
	}
	steps := []struct {
		name   string
		during time.Duration
		own    time.Duration
		want   bool
	}{
		{"slow", 35 * time.Second, 100 * ms, true},
		{"half as slow", time.Minute, 40 * ms, true},
		{"nothing written", time.Minute, 0, true},
		{"quick, but not for long", 25 * time.Second, 5 * ms, true},
		{"slow again", time.Second, 100 * ms, true},
		{"quick", 35 * time.Second, 5 * ms, false},
	}
	for _, step := range steps {
		if got := judge(&l, &now, step.during, step.own, 6*ms, 6*ms); got != step.want {
			t.Errorf("%s: lags: %v, want %v", step.name, got, step.want)
		}
	}
}

func TestAnAppendMeter(t *testing.T) {
	var m plan.AppendMeter
	now := time.Unix(1e9, 0)
	n, took := uint64(0), time.Duration(0)
	run := func(during time.Duration, each time.Duration, perSecond uint64) (got time.Duration) {
		for end := now.Add(during); now.Before(end); now = now.Add(200 * ms) {
			n, took = n+perSecond/5, took+each*time.Duration(perSecond/5)
			got = m.Count(now, n, took)
		}
		return got
	}
	if got := run(4*time.Second, 3*ms, 100); got != 0 {
		t.Errorf("after four seconds: %v", got)
	}
	if got := run(4*time.Second, 3*ms, 100); got != 3*ms {
		t.Errorf("steady: %v, want 3ms", got)
	}
	if got := run(7*time.Second, 50*ms, 10); got != 50*ms {
		t.Errorf("slow for seven seconds: %v, want 50ms", got)
	}
	if got := run(8*time.Second, 0, 0); got != 0 {
		t.Errorf("nothing written: %v", got)
	}
}
