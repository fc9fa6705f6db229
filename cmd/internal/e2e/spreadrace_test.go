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
	t.Parallel()
	c := startTrio(t, crashConfig)
	c.balanced()
	c.sampled = newSample(sampledShare)
	r := &rush{T: t, doors: c.spread(c.mustApp("one")), history: history.NewCodes()}
	codes := volume(200, 10_000)
	for i := range codes {
		if err := r.race(i); err != nil {
			t.Fatalf("code %d: %v", i, err)
		}
	}
	verify(t, r.history)
	t.Logf("race over three nodes: codes=%d devices=%d redeemed=%d double_redeem=%d", codes, rivals, codes, r.double.Load())
}

// rush is a series of races at a cluster. A device that gets no answer, or 503,
// repeats its request, as all clients should.
type rush struct {
	*testing.T
	doors         []*app
	history       *history.Codes
	codes, double atomic.Int64
}

// TestRaceWhileNodesDie does the same while one node after the other is killed
// and comes back.
func TestRaceWhileNodesDie(t *testing.T) {
	t.Parallel()
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
	if err := r.judge(ctx, host, winners); err != nil || number%20 != 0 {
		return err
	}
	return r.after(ctx, code, winners[0])
}

// after is what happens within the next minute: the device that got in may repeat
// its request, nobody else gets in.
func (r *rush) after(ctx context.Context, code, winner string) error {
	redeem := func(name string) error {
		return insist(ctx, r.doors, func(a *app) error { return a.admitted(ctx, code, name) })
	}
	if err := redeem(winner); err != nil {
		return fmt.Errorf("%w: the winner repeats its request: %w", errTwice, err)
	}
	if err := redeem("latecomer to " + winner); !errors.Is(err, errRefused) {
		return fmt.Errorf("%w: another device redeems the used code: %w", errTwice, err)
	}
	return nil
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
