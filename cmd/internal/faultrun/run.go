package faultrun

import (
	"testing"
	"time"
)

// Run is one load with faults: what was found in it is printed and judged at
// its end.
type Run struct {
	*Load
	cluster *Cluster
	owners  *owners
}

// warmth is for how long there is load before something happens, and afterwards.
const warmth = time.Second

// Begin starts a load of so many calls per second and returns when it goes on.
func Begin(c *Cluster, name string, perSecond int) *Run {
	c.Helper()
	l := NewLoad(c, name)
	r := &Run{Load: l, cluster: c, owners: watchOwners(c, l.Verdict)}
	l.Begin(perSecond)
	<-time.After(warmth)
	return r
}

// Finish lets the load go on for a while, ends it, asks for everything that was acknowledged, and reports.
func (r *Run) Finish(t testing.TB) {
	t.Helper()
	<-time.After(warmth)
	r.End()
	if err := r.Ledger.Audit(); err != nil {
		t.Errorf("audit: %v", err)
	}
	reigns := r.owners.end()
	r.secrets.searchAll(r.cluster, r.Verdict)
	t.Logf("%s facts=%d reigns=%d secrets=%d", r.Summary(), r.Ledger.Facts(), reigns, len(r.secrets.given))
	for _, err := range r.strange {
		t.Errorf("an answer that no fault explains: %v", err)
	}
	r.contest.Report(t)
	r.Verdict.Report(t)
}
