package faultrun

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"ssod/actors/profile"
	"ssod/cluster"
)

// Failover is how long shards took no writes: for each, from the moment its
// leader died to the first success of a write.
type Failover []time.Duration

// Limits of a failover, with 100 ms ticks and an election after 10 of them.
const (
	failoverHalf  = 1800 * time.Millisecond // p50
	failoverMost  = 2500 * time.Millisecond // p99
	failoverWorst = 4 * time.Second
)

const (
	// probePace is how often a write is begun that shows whether a shard takes
	// writes.
	probePace = 50 * time.Millisecond
	// probeFor is when that is given up.
	probeFor = 2 * time.Minute
)

// awaitWrites returns when each of the shards has taken a write again, asked for
// at some nodes.
func (l *Load) awaitWrites(since time.Time, at []*Node, shards []int) Failover {
	took := make(Failover, len(shards))
	var all sync.WaitGroup
	for i, shard := range shards {
		all.Go(func() { took[i] = l.awaitWrite(since, shard, at) })
	}
	all.Wait()
	return took
}

// awaitWrite begins one write after another, each of a new profile, until one
// succeeds.
func (l *Load) awaitWrite(since time.Time, shard int, at []*Node) time.Duration {
	ctx, cancel := context.WithTimeout(l.cluster.Context(), probeFor)
	defer cancel()
	var probes sync.WaitGroup
	defer probes.Wait()
	done := make(chan time.Time, 1)
	pace := time.NewTicker(probePace)
	defer pace.Stop()
	for i := 0; ; i++ {
		viewer := l.viewerOn(shard, fmt.Sprintf("probe-%d-%d", since.UnixNano(), i))
		probes.Go(func() {
			if l.apps[0].at(at[i%len(at)]).mint(newDevice(viewer), viewer) == nil {
				select {
				case done <- time.Now():
				default:
				}
			}
		})
		select {
		case at := <-done:
			return at.Sub(since)
		case <-ctx.Done():
			return probeFor
		case <-pace.C:
		}
	}
}

// viewerOn is a viewer of the first realm whose profile lies in a shard.
func (l *Load) viewerOn(shard int, name string) string {
	slots := cluster.DivideSlots(Shards)
	for i := 0; ; i++ {
		viewer := fmt.Sprint(name, "-", i)
		id := profile.ID{Realm: l.apps[0].realm, Namespace: profile.NamespaceSSO, Subject: viewer}
		if int(id.Address().Shard(slots)) == shard {
			return viewer
		}
	}
}

// Report prints how long shards took no writes after a fault and, if asked,
// judges it.
func (f Failover) Report(t testing.TB, fault string, judge bool) {
	t.Helper()
	if len(f) == 0 {
		return
	}
	slices.Sort(f)
	half, most, worst := quantile(f, 0.5), quantile(f, 0.99), f[len(f)-1].Round(time.Millisecond)
	t.Logf("failover (%s): shards=%d p50=%v p99=%v max=%v", fault, len(f), half, most, worst)
	if judge && (half > failoverHalf || most > failoverMost || worst > failoverWorst) {
		t.Errorf("shards took no writes for p50 %v, p99 %v, max %v; want at most %v, %v, %v",
			half, most, worst, failoverHalf, failoverMost, failoverWorst)
	}
}
