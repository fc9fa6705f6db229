package faultrun

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestBusyShardsPart has two shards of one node serve much and all others nothing.
// After a minute another node leads one of the two, and that is the only move by load;
// no call fails.
func TestBusyShardsPart(t *testing.T) {
	if !long() {
		t.Skip("takes two minutes; SSOD_LONG=1 runs it")
	}
	c := Start(t)
	c.settledTerms()
	l := NewLoad(c, "busy")
	led := c.ledBy(c.Nodes[1])
	if len(led) < 2 {
		t.Fatalf("n2 leads %v", led)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mints sync.WaitGroup
	for _, shard := range led[:2] {
		mints.Go(func() { l.mintOn(ctx, shard, 100) })
	}
	at := time.Now()
	c.until("another node leads one of the two", 2*time.Minute, func() bool { return l.leaderOf(led[0]) != l.leaderOf(led[1]) })
	took := time.Since(at)
	<-time.After(30 * time.Second)
	cancel()
	mints.Wait()
	t.Logf("one of shards %v moved after %v; %s", led[:2], took.Round(time.Second), l.Summary())
	if took < time.Minute {
		t.Errorf("it moved after %v already", took)
	}
	moves := 0
	for _, n := range c.Nodes {
		moves += strings.Count(n.Logged(), "because of load")
	}
	if moves != 1 {
		t.Errorf("%d moves by load", moves)
	}
	if n := l.Failed(); n > 0 {
		t.Errorf("%d calls failed", n)
	}
}

// leaderOf is who leads a shard, as the first node says.
func (l *Load) leaderOf(shard int) string {
	l.cluster.Helper()
	v, err := l.cluster.view(l.cluster.Nodes[0])
	l.cluster.must(err)
	return v.Shards[shard].Leader
}

// mintOn makes so many profiles per second in a shard until ctx ends.
func (l *Load) mintOn(ctx context.Context, shard, perSecond int) {
	pace := time.NewTicker(time.Second / time.Duration(perSecond))
	defer pace.Stop()
	var calls sync.WaitGroup
	defer calls.Wait()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-pace.C:
		}
		calls.Go(func() {
			viewer := l.viewerOn(shard, fmt.Sprintf("busy-%d-%d", shard, i))
			_ = l.apps[0].mint(newDevice(viewer), viewer) // the load counts how it ends
		})
	}
}
