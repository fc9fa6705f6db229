package faultrun

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ssod/cmd/internal/ssodtest"
)

const (
	// slowSync is what a sync takes on a disk that is slow, for good.
	slowSync = 3 * time.Second
	// leavesWithin is how soon leaderships must have left a slow disk.
	leavesWithin = 3 * time.Second
	// slowRate is the load, in calls per second.
	slowRate = 150
)

// TestASlowDiskLosesItsLeads makes every sync of one node take seconds. Its
// leaderships leave, the one of the tables included, and clients of the other
// nodes get answers. It says that it is not ready and why, and leads nothing as
// long as that goes on.
func TestASlowDiskLosesItsLeads(t *testing.T) {
	c := start(t, 3, &Cluster{gated: true})
	r := Begin(c, "slow", slowRate)
	slow := c.leaderOfTables()
	led := c.ledBy(slow)
	c.dismiss(slow)
	at, failed := time.Now(), r.Failed()
	slow.gate.slow(slowSync)
	c.until("the slow node leads nothing", time.Minute, func() bool { return len(c.ledBy(slow)) == 0 && c.leaderOfTables() != slow })
	left := time.Since(at)
	t.Logf("%s led shards %v and the tables; they had left after %v", slow, led, left.Round(time.Millisecond))
	r.awaitWrites(at, c.others(slow), led)
	c.until("it says that it is not ready", readyWithin, func() bool { ok, detail := slow.Condition("disk"); return !ok && strings.Contains(detail, "sync of") })
	if slow.Ready() {
		t.Error("it is ready")
	}
	<-time.After(slowSync)
	if led := c.ledBy(slow); len(led) > 0 {
		t.Errorf("it leads %v", led)
	}
	slow.gate.open()
	r.Finish(t)
	t.Logf("%d of the calls since then failed", r.Failed()-failed)
	if long() && (left > leavesWithin || r.Failed() > failed) {
		t.Errorf("its leads left after %v, and %d calls failed", left, r.Failed()-failed)
	}
	if n := strings.Count(slow.Logged(), "the disk is slow"); n != 1 {
		t.Errorf("it said %d times that its disk is slow", n)
	}
}

// TestADiskOfHalfASecondKeepsItsLeads: that a disk stalls costs nothing but time.
func TestADiskOfHalfASecondKeepsItsLeads(t *testing.T) {
	if !long() {
		t.Skip("judges times, on a machine of its own; SSOD_LONG=1 runs it")
	}
	c := start(t, 3, &Cluster{gated: true})
	slow := c.Nodes[1]
	terms := c.settledTerms()
	led := c.ledBy(slow)
	slow.gate.slow(500 * time.Millisecond)
	r := Begin(c, "half", slowRate/3)
	<-time.After(10 * time.Second)
	slow.gate.open()
	r.Finish(t)
	if ok, detail := slow.Condition("disk"); !ok {
		t.Errorf("disk: %s", detail)
	}
	if now := c.ledBy(slow); !slices.Equal(now, led) || !slices.Equal(c.terms(), terms) {
		t.Errorf("it leads %v, and led %v", now, led)
	}
}

// settledTerms are the terms of all shards when leads have not moved for longer
// than the planner waits between two moves.
func (c *Cluster) settledTerms() []uint64 {
	terms, since := c.terms(), time.Now()
	c.until("leads have found their places", time.Minute, func() bool {
		if now := c.terms(); !slices.Equal(now, terms) {
			terms, since = now, time.Now()
		}
		return time.Since(since) > 5*time.Second
	})
	return terms
}

// TestADiskThatHangsEndsItsProcess: after some twenty seconds of its own time,
// with one error and status 1. A pause in between does not count. When the disk
// works again the node comes back with what it had.
func TestADiskThatHangsEndsItsProcess(t *testing.T) {
	if !long() {
		t.Skip("takes a minute; SSOD_LONG=1 runs it")
	}
	c := start(t, 3, &Cluster{gated: true})
	r := Begin(c, "hang", slowRate)
	victim := c.Nodes[2]
	c.dismiss(victim)
	victim.gate.hang()
	at := time.Now()
	<-time.After(5 * time.Second)
	victim.Pause()
	<-time.After(20 * time.Second)
	victim.Resume()
	<-time.After(5 * time.Second)
	if victim.Ended() {
		t.Errorf("it ended %v after its disk hung, of which it was paused for 20 s", time.Since(at))
	}
	select {
	case <-victim.Process.Exited():
	case <-time.After(time.Minute):
		t.Fatal("it goes on although its disk hangs")
	}
	t.Logf("it ended after %v, of which it was paused for 20 s", time.Since(at).Round(time.Millisecond))
	if status := victim.Process.ExitCode(); status != 1 {
		t.Errorf("status %d, want 1", status)
	}
	if n := strings.Count(victim.Logged(), `"level":"ERROR"`); n != 1 || !strings.Contains(victim.Logged(), "the disk has hung") {
		t.Errorf("it logged %d errors:\n%s", n, ssodtest.Tail(victim.Logged()))
	}
	victim.gate.open()
	victim.Start()
	c.AwaitPromise()
	r.Finish(t)
}

// leaderOfTables is the node that leads the meta shard.
func (c *Cluster) leaderOfTables() (leader *Node) {
	c.Helper()
	c.until("the tables have a leader", readyWithin, func() bool {
		v, err := c.view(c.any())
		if err != nil {
			return false
		}
		for _, n := range c.Nodes {
			if n.Name == v.Shards[0].Leader {
				leader = n
			}
		}
		return leader != nil
	})
	return leader
}

// terms are those of all shards.
func (c *Cluster) terms() (terms []uint64) {
	c.Helper()
	v, err := c.view(c.any())
	c.must(err)
	for _, s := range v.Shards {
		terms = append(terms, s.Term)
	}
	return terms
}

const (
	// lagSync is what a sync takes longer on a disk that lags: far from what would
	// make it slow by itself.
	lagSync = 120 * time.Millisecond
	// lagWithin is how soon leaderships must have left such a disk, and be back when
	// it is well: what must last for half a minute is averaged over seconds.
	lagWithin = time.Minute
)

// TestADiskThatLagsLosesItsLeads makes every sync of one node some fifty times as
// slow as those of the others, and no slower than a disk may be by itself. Its
// leaderships leave after half a minute. From then on what the others lead is as
// quick as before. When the disk is well it leads again.
func TestADiskThatLagsLosesItsLeads(t *testing.T) {
	if !long() {
		t.Skip("takes two minutes; SSOD_LONG=1 runs it")
	}
	c := start(t, 3, &Cluster{gated: true})
	c.settledTerms()
	r := Begin(c, "lag", slowRate)
	<-time.After(10 * time.Second)
	before := r.since(10*time.Second, 0.99)
	slow := c.Nodes[1]
	at, failed := time.Now(), r.Failed()
	slow.gate.slow(lagSync)
	c.until("the node whose disk lags leads nothing", lagWithin, func() bool { return len(c.ledBy(slow)) == 0 })
	left := time.Since(at)
	ok, detail := slow.Condition("disk")
	if ok || !strings.Contains(detail, "slower than those of the other nodes") || !slow.Ready() {
		t.Errorf("ready %v, disk %v: %s", slow.Ready(), ok, detail)
	}
	<-time.After(10 * time.Second)
	during := r.since(10*time.Second, 0.99)
	slow.gate.open()
	at = time.Now()
	c.until("it leads again", lagWithin, func() bool { return len(c.ledBy(slow)) > 0 })
	t.Logf("leads left after %v and were back after %v; p99 of calls %v before, %v meanwhile; %s",
		left.Round(time.Millisecond), time.Since(at).Round(time.Millisecond), before, during, detail)
	if during > 2*before {
		t.Errorf("p99 %v, was %v", during, before)
	}
	r.Finish(t)
	if now := r.Failed(); now > failed {
		t.Errorf("%d calls failed", now-failed)
	}
}

// since is a quantile of what calls took that began in the last while.
func (l *Load) since(last time.Duration, share float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	var took []time.Duration
	for _, s := range l.answers {
		if time.Since(s.at) < last {
			took = append(took, s.took)
		}
	}
	return quantile(took, share)
}
