package e2e

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"ssod/bench/process"
	"ssod/cmd/internal/ssodtest"
)

// mostMemory is what a node may hold whose state is small, also while it sends or
// installs snapshots.
const mostMemory = 512 << 20

// TestALaggardCatchesUpBySnapshot ends a node and makes more changes than the
// others keep for it in their logs. It comes back under load and gets snapshots;
// meanwhile nobody's memory grows beyond its limit, the load goes on, and in the
// end the node alone with one other has everything.
func TestALaggardCatchesUpBySnapshot(t *testing.T) {
	t.Parallel()
	c := newTrio(t, crashConfig)
	if !ssodtest.Long() {
		c.common = []string{"--shards", "1"} // all changes in one log
	}
	for range 3 {
		c.add()
	}
	c.balanced()
	a := c.mustApp("one")
	facts := newLedger()
	facts.look = c.patient
	laggard := c.nodes[2]
	before := c.load(a, "before", 2*time.Second)
	c.kill(laggard)
	c.settled()
	missed := volume(10_000, 1_000_000)
	c.miss(a, facts, missed)
	// The log is kept until the state that it makes is on disk.
	until(t, "the others' logs are truncated", func() bool {
		return c.nodes[0].metric("ssod_store_unflushed_bytes")+c.nodes[1].metric("ssod_store_unflushed_bytes") < 1<<16
	})

	laggard.Launch()
	memory := c.watchMemory()
	during := c.load(a, "during", time.Duration(volume(2, 20))*time.Second)
	laggard.AwaitReady()
	c.rejoin(laggard)
	c.caughtUp()
	peak := memory()
	t.Logf("missed=%d snapshots=%.0f peak_rss_mb=%v p99 before=%v during=%v", missed, laggard.metric("ssod_shard_snapshots_total"), peak, before, during)
	if laggard.metric("ssod_shard_snapshots_total") == 0 {
		t.Error("it caught up without a snapshot: nothing was shown")
	}
	for i, mb := range peak {
		if mb > mostMemory>>20 {
			t.Errorf("n%d held %d MB, want %d at most", i+1, mb, mostMemory>>20)
		}
	}
	if ssodtest.Long() && during > max(3*before, slowestFair) {
		t.Errorf("p99 while it caught up: %v, before: %v", during, before)
	}
	c.kill(c.nodes[0])
	c.settled()
	if lost := report(t, facts, facts.since(0)); lost > 0 {
		t.Errorf("lost_acks=%d", lost)
	}
}

// rejoin counts a node that was launched among those that run.
func (c *trio) rejoin(n *node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.up = append(c.up, n)
}

// slowestFair is a p99 that is fine on a machine that has more to do. Times are
// judged in long runs, on a machine of their own.
const slowestFair = 250 * time.Millisecond

// miss makes changes, each as large as names and attributes may be, and enters
// some of them as facts.
func (c *trio) miss(a *app, facts *ledger, changes int) {
	c.Helper()
	a.sampled = newSample(1000)
	doors := c.running(c.spread(a))
	info := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"primaryHardwareType":"TV","model":%q,"manufacturer":%q,"osName":%q}`,
		strings.Repeat("m", 128), strings.Repeat("v", 128), strings.Repeat("o", 128)))
	group, ctx := errgroup.WithContext(c.Context())
	group.SetLimit(64)
	for i := range changes {
		group.Go(func() error {
			d := newDevice(fmt.Sprintf("missed %0200d", i))
			d.info = info
			err := insist(ctx, doors, func(door *app) error { return door.mint(ctx, d, fmt.Sprintf("missed viewer %0200d", i)) })
			if err == nil && i%(changes/100) == 0 {
				facts.add("member "+d.id, a.isMember(d))
			}
			return err
		})
	}
	must(c, group.Wait())
}

// load mints for a while from a few devices at once and returns the p99 of the
// answers.
func (c *trio) load(a *app, name string, d time.Duration) time.Duration {
	c.Helper()
	ctx, stop := context.WithTimeout(c.Context(), d)
	defer stop()
	doors := c.running(c.spread(a))
	var mu sync.Mutex
	var took []time.Duration
	var working sync.WaitGroup
	for lane := range viewersAtOnce {
		working.Go(func() {
			for k := 0; ctx.Err() == nil; k++ {
				began := time.Now()
				guest := fmt.Sprint(name, " ", lane, " ", k)
				err := insist(c.Context(), doors, func(door *app) error { return door.mint(c.Context(), newDevice(guest), guest) })
				if err != nil {
					c.Errorf("load %s: %v", name, err)
				}
				mu.Lock()
				took = append(took, time.Since(began))
				mu.Unlock()
			}
		})
	}
	working.Wait()
	slices.Sort(took)
	return took[len(took)*99/100]
}

// watchMemory looks at the memory of the nodes until the function it returns is
// called, which tells the most that each held, in MB.
func (c *trio) watchMemory() (peak func() []int) {
	most := make([]int, len(c.nodes))
	var processes []*process.Process
	for _, n := range c.nodes {
		processes = append(processes, n.Process)
	}
	ctx, stop := context.WithCancel(c.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			for i, p := range processes {
				if rss, err := p.RSS(); err == nil {
					most[i] = max(most[i], int(rss>>20))
				}
			}
			<-tick.C
		}
	}()
	return func() []int {
		stop()
		<-ended
		return most
	}
}

// caughtUp waits until no replica is behind its leader.
func (c *trio) caughtUp() {
	c.Helper()
	ssodtest.Until(c, "nobody is behind", time.Duration(volume(120, 300))*time.Second, func() bool {
		for _, n := range c.up {
			shards := n.shards()
			if len(shards) == 0 {
				return false
			}
			for _, s := range shards {
				if s.Lag > 0 || s.Leader == "" {
					return false
				}
			}
		}
		return true
	})
}
