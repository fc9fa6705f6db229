package faultrun

import (
	"fmt"
	"slices"
	"time"
)

// Latency is how the calls that began in some span of time were answered.
type Latency struct {
	Calls  int
	Failed int // not served
	// Doubtful are those that were answered with "the outcome is unknown".
	Doubtful         int
	Half, Most, Peak time.Duration // p50, p99 and the longest
	// Stall is the longest time in which no call was answered although some waited.
	Stall time.Duration
}

// Latency is that of the calls that began from one moment on and before another;
// of one node, unless that is nil.
func (l *Load) Latency(from, to time.Time, of *Node) Latency {
	l.mu.Lock()
	all := slices.Clone(l.answers)
	l.mu.Unlock()
	var (
		r     Latency
		took  []time.Duration
		calls []sample
	)
	for _, s := range all {
		if s.at.Before(from) || !s.at.Before(to) || of != nil && s.node != of {
			continue
		}
		calls, took = append(calls, s), append(took, s.took)
		if s.fate != served {
			r.Failed++
		}
		if s.doubt {
			r.Doubtful++
		}
	}
	r.Calls, r.Half, r.Most, r.Peak = len(calls), quantile(took, 0.5), quantile(took, 0.99), quantile(took, 1)
	r.Stall = stall(calls)
	return r
}

// stall is the longest time in which no call was answered although some waited.
func stall(calls []sample) (most time.Duration) {
	slices.SortFunc(calls, func(a, b sample) int { return a.end().Compare(b.end()) })
	for i := 1; i < len(calls); i++ {
		since := calls[i-1].end()
		if calls[i].at.After(since) {
			since = calls[i].at
		}
		most = max(most, calls[i].end().Sub(since))
	}
	return most.Round(100 * time.Microsecond)
}

func (s sample) end() time.Time { return s.at.Add(s.took) }

// String is Latency as a run prints it.
func (r Latency) String() string {
	return fmt.Sprintf("calls=%d failed=%d outcome_unknown=%d p50=%v p99=%v max=%v stall=%v", r.Calls, r.Failed, r.Doubtful, r.Half, r.Most, r.Peak, r.Stall)
}
