package faultrun

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// Silence is how a node without a majority answered writes.
type Silence struct {
	// Until is how long after the cut the last of the early writes was
	// answered: those that began in the first moments.
	Until time.Duration
	// After is how long each write took that began when the node knew.
	After []time.Duration
}

// Limits of a node that has no majority.
const (
	silenceKnown = 2500 * time.Millisecond // after the cut
	silenceAtOne = 250 * time.Millisecond  // "at once", on a busy machine
)

// cutOff asks a node for writes, from the cut on and for some time. It has no
// majority, so a success of what was asked after the cut is a second owner.
func (l *Load) cutOff(n *Node, since time.Time, lasting time.Duration) (s Silence) {
	ctx, cancel := context.WithDeadline(l.cluster.Context(), since.Add(lasting))
	defer cancel()
	var probes sync.WaitGroup
	var mu sync.Mutex
	pace := time.NewTicker(probePace)
	defer pace.Stop()
	for i := 0; ctx.Err() == nil; i++ {
		viewer := l.viewerOn(1+i%Shards, fmt.Sprintf("cut-%s-%d-%d", n, since.UnixNano(), i))
		probes.Go(func() {
			began := time.Now()
			err := l.apps[0].at(n).mint(newDevice(viewer), viewer)
			ended := time.Now()
			if !errors.Is(err, errUnknown) {
				l.Verdict.Found(DoubleOwner, "%s, which is cut off, answered a write %v after the cut: %v", n, began.Sub(since), err)
			}
			mu.Lock()
			defer mu.Unlock()
			if began.Sub(since) < silenceKnown {
				s.Until = max(s.Until, ended.Sub(since))
			} else {
				s.After = append(s.After, ended.Sub(began))
			}
		})
		<-pace.C
	}
	probes.Wait()
	return s
}

// Report prints how nodes answered without a majority and, if asked, judges it.
func (s Silence) Report(t testing.TB, judge bool) {
	t.Helper()
	most := time.Duration(0)
	if len(s.After) > 0 {
		most = slices.Max(s.After)
	}
	t.Logf("without a majority: 503 within %v of the cut, then in p50=%v max=%v", s.Until.Round(time.Millisecond),
		quantile(s.After, 0.5), most.Round(time.Millisecond))
	if judge && (s.Until > silenceKnown+silenceAtOne || most > silenceAtOne) {
		t.Errorf("want 503 within %v of the cut and in %v afterwards", silenceKnown, silenceAtOne)
	}
}
