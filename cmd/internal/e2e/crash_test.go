package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// crashConfig has several realms and budgets that the checks do not exhaust.
const crashConfig = `
throttle: {enabled: false}
realms:
  - id: one
    serviceProviders: [one]
    guessing: {perDevice: 1000000000, perAddress: 1000000000, wrongHitsPerDay: 100000}
  - id: two
    serviceProviders: [two]
    guessing: {perDevice: 1000000000, perAddress: 1000000000, wrongHitsPerDay: 100000}
`

// Shape of the load of a crash round.
const (
	viewersAtOnce = 8
	shortestRound = 30 * time.Millisecond
	longestRound  = 400 * time.Millisecond
	oldFacts      = 200 // of earlier rounds, checked after each
)

// TestCrash kills the process with SIGKILL at random moments under mixed load,
// starts it again on the same directory and asks for everything that was
// acknowledged: members, unused and used codes, unlinked devices, software
// statements and revocations.
func TestCrash(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, seed))
	n := startNode(t, crashConfig)
	facts := newLedger()
	rounds, lost := volume(10, 200), 0
	for round := range rounds {
		before := facts.next
		d := shortestRound + time.Duration(random.Int64N(int64(longestRound-shortestRound)))
		crash(n, facts, fmt.Sprintf("r%d", round), random.Uint64(), d)
		n.Start()
		entries := append(facts.since(before), sampleOf(random, facts.since(0), oldFacts)...)
		lost += report(t, facts, entries)
	}
	lost += report(t, facts, facts.since(0))
	t.Logf("crash: rounds=%d acknowledged=%d lost_acks=%d", rounds, facts.total, lost)
	if facts.total < 10*rounds {
		t.Errorf("only %d facts were acknowledged in %d rounds: the load is too small to prove anything", facts.total, rounds)
	}
}

func report(t *testing.T, facts *ledger, entries []int) int {
	t.Helper()
	lost, err := facts.audit(t.Context(), entries)
	must(t, err)
	for _, what := range lost {
		t.Errorf("lost: %s", what)
	}
	return len(lost)
}

func sampleOf(random *rand.Rand, entries []int, n int) []int {
	random.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	return entries[:min(n, len(entries))]
}

// crash puts load on the node for d and kills it.
func crash(n *node, facts *ledger, name string, seed uint64, d time.Duration) {
	n.Helper()
	apps := []*app{n.mustApp("one"), n.mustApp("two")}
	ctx, stop := context.WithCancel(n.Context())
	defer stop()
	var working sync.WaitGroup
	for i := range viewersAtOnce {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		a := apps[i%len(apps)]
		working.Go(func() {
			n.untilCrash(ctx, func(k int) error { return visit(ctx, a, facts, fmt.Sprintf("%s-%d-%d", name, i, k), random) })
		})
	}
	working.Go(func() { n.untilCrash(ctx, func(k int) error { return operate(ctx, n, facts, k) }) })
	<-time.After(d) // the moment of the crash is the input of this test
	must(n, n.Process.Kill())
	stop()
	working.Wait()
	n.Kill()
}

// untilCrash repeats work until the process is gone. An answer that should not
// be is a failure of the test; a broken connection is the crash.
func (n *node) untilCrash(ctx context.Context, work func(k int) error) {
	for k := 0; ctx.Err() == nil; k++ {
		err := work(k)
		if errors.Is(err, errStatus) {
			n.Errorf("under load: %v", err)
		}
		if err != nil {
			return
		}
	}
}

// visit is the life of one viewer: a first device, a code, a second device,
// sometimes its removal, and at the end a code that stays unused.
func visit(ctx context.Context, a *app, facts *ledger, name string, random *rand.Rand) error {
	host, guest := newDevice(name+" host"), newDevice(name+" guest")
	if err := a.mint(ctx, host, name); err != nil {
		return err
	}
	facts.add("member "+host.id, a.isMember(host))
	if err := invite(ctx, a, facts, host, guest); err != nil {
		return err
	}
	if random.IntN(2) == 0 {
		if err := expel(ctx, a, facts, host, guest); err != nil {
			return err
		}
	} else {
		facts.add("member "+guest.id, a.isMember(guest))
	}
	if err := a.refresh(ctx, host); err != nil {
		return err
	}
	code, err := a.link(ctx, host)
	if err == nil {
		facts.add("unused code of "+host.id, a.isLive(code, name+" third"))
	}
	return err
}

// invite makes a code and lets the guest redeem it.
func invite(ctx context.Context, a *app, facts *ledger, host, guest *device) error {
	code, err := a.link(ctx, host)
	if err != nil {
		return err
	}
	if err := a.redeem(ctx, guest, code); err != nil {
		return err
	}
	facts.add("used code of "+host.id, a.isUsed(code, guest.id))
	return nil
}

// expel lets the host remove the guest.
func expel(ctx context.Context, a *app, facts *ledger, host, guest *device) error {
	gone, err := a.unlink(ctx, host, guest.id)
	if err != nil {
		return err
	}
	if len(gone) != 1 {
		return fmt.Errorf("%w: unlink removed %q, want the guest", errStatus, gone)
	}
	facts.add("unlinked "+guest.id, a.isGone(host, guest))
	return nil
}

// operate is what an operator does meanwhile: approve an app, and revoke its
// client or its statement.
func operate(ctx context.Context, n *node, facts *ledger, k int) error {
	a, err := n.newApp(ctx, "one")
	if err != nil {
		return err
	}
	approved := facts.add("statement "+a.statement, n.isApproved(a.signed))
	switch k % 3 {
	case 0:
		facts.strike(approved)
		if err := n.remove(ctx, "/admin/v1/software-statements/"+a.statement); err != nil {
			return err
		}
		facts.add("revoked statement "+a.statement, a.isRevoked())
	case 1:
		if err := n.remove(ctx, "/admin/v1/clients/"+a.id); err != nil {
			return err
		}
		facts.add("revoked client of "+a.statement, a.isRevoked())
	}
	return nil
}
