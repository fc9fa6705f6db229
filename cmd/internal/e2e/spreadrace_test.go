package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ssod/cmd/internal/history"
)

// TestRaceOverThreeNodes lets 64 devices redeem the same code at the same moment
// through three nodes: exactly one of them gets in.
func TestRaceOverThreeNodes(t *testing.T) {
	c := startTrio(t, crashConfig)
	c.balanced()
	c.sampled = newSample(sampledShare)
	a := c.mustApp("one")
	doors := c.spread(a)
	codes, wins := volume(200, 10_000), 0
	redemptions := history.NewCodes()
	for i := range codes {
		code := a.mustInvite(fmt.Sprint("host ", i))
		winners, err := redeemAtOnce(redemptions, code, i, func(k int, name string) error {
			return doors[k%len(doors)].admitted(t.Context(), code, name)
		})
		must(t, err)
		if len(winners) != 1 {
			t.Fatalf("code %d was redeemed by %d devices: %q", i, len(winners), winners)
		}
		wins += len(winners)
		if i%20 == 0 {
			onlyTheWinnerRepeats(t, a, code, winners[0])
		}
	}
	verify(t, redemptions)
	t.Logf("race over three nodes: codes=%d devices=%d redeemed=%d double_redeem=0", codes, rivals, wins)
}

// mustInvite founds a profile and returns a code of it.
func (a *app) mustInvite(name string) string {
	a.Helper()
	_, code := a.hostWithCode(name)
	return code
}

// rush is a series of races at a cluster whose nodes die.
type rush struct {
	*testing.T
	doors         []*app
	history       *history.Codes
	codes, double atomic.Int64
}

// TestRaceWhileNodesDie does the same while one node after the other is killed
// and comes back. A device that gets no answer repeats its request; in the end
// one is admitted, and the host sees nobody else.
func TestRaceWhileNodesDie(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, seed))
	c := startTrio(t, crashConfig)
	c.balanced()
	c.sampled = newSample(sampledShare)
	r := &rush{T: t, doors: c.spread(c.mustApp("one")), history: history.NewCodes()}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var working sync.WaitGroup
	for i := range 2 {
		working.Go(func() { r.run(ctx, i) })
	}
	kills := volume(3, 100)
	for range kills {
		victim := c.nodes[random.IntN(len(c.nodes))]
		<-time.After(shortestRound + time.Duration(random.Int64N(int64(longestRound)))) // the moment of the kill is the input
		c.kill(victim)
		c.settled()
		c.start(victim)
	}
	stop()
	working.Wait()
	verify(t, r.history)
	t.Logf("race while nodes die: kills=%d codes=%d devices=%d double_redeem=%d", kills, r.codes.Load(), rivals, r.double.Load())
	if r.codes.Load() < int64(kills) {
		t.Errorf("only %d codes were raced for: too few to prove anything", r.codes.Load())
	}
}

// run races for codes until ctx ends; the last race is run to its end.
func (r *rush) run(ctx context.Context, lane int) {
	for k := 0; ctx.Err() == nil; k++ {
		if err := r.race(lane<<20 + k); err != nil {
			r.Errorf("race %d of lane %d: %v", k, lane, err)
			return
		}
		r.codes.Add(1)
	}
}

// race makes a code, lets everybody redeem it and asks the host who is in.
func (r *rush) race(number int) error {
	ctx := r.Context()
	host, code := newDevice(fmt.Sprint("host ", number)), ""
	if err := insist(ctx, r.doors, func(a *app) error { return a.mint(ctx, host, fmt.Sprint("viewer ", number)) }); err != nil {
		return fmt.Errorf("mint: %w", err)
	}
	err := insist(ctx, r.doors, func(a *app) (err error) { code, err = a.link(ctx, host); return err })
	if err != nil {
		return fmt.Errorf("link: %w", err)
	}
	winners, err := redeemAtOnce(r.history, code, number, func(_ int, name string) error {
		return insist(ctx, r.doors, func(a *app) error { return a.admitted(ctx, code, name) })
	})
	if err != nil {
		return fmt.Errorf("redeem: %w", err)
	}
	return r.judge(ctx, host, winners)
}

// errTwice says that a code let in another number of devices than one.
var errTwice = errors.New("a code must admit one device")

// judge compares who was admitted with whom the host sees.
func (r *rush) judge(ctx context.Context, host *device, winners []string) error {
	members := 0
	err := insist(ctx, r.doors, func(a *app) error {
		devices, err := a.list(ctx, host)
		members = len(devices)
		return err
	})
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	if len(winners) > 1 || members > 2 {
		r.double.Add(1)
	}
	if len(winners) != 1 || members != 2 {
		return fmt.Errorf("%w: admitted %q, the host sees %d devices", errTwice, winners, members)
	}
	return nil
}
