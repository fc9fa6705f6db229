package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"

	"golang.org/x/sync/errgroup"
)

// addressConfig is the same for devices and addresses, and the realm never closes.
const addressConfig = `
throttle: {enabled: false}
realms:
  - {id: one, serviceProviders: [one], guessing: {perRealm: 1000000000}}
`

// guessFailures is the metric of guesses that reached a look-up and failed.
const guessFailures = "ssod_link_guess_failures_total"

// guesses sends wrong codes through all nodes in turn and counts the answers; 0
// counts those that were not answered, which may have reached a look-up.
func guesses(t *testing.T, doors []*app, n int, device, address func(i int) string) map[int]int {
	t.Helper()
	group := errgroup.Group{}
	group.SetLimit(32)
	statuses := make([]int, n)
	for i := range n {
		group.Go(func() error {
			a := doors[i%len(doors)]
			answer, err := a.guess(t.Context(), device(i), address(i), fmt.Sprintf("%06d", i))
			if err == nil {
				statuses[i] = answer.Status
			}
			return nil // a node that dies is part of some tests
		})
	}
	must(t, group.Wait())
	counts := map[int]int{}
	for _, status := range statuses {
		counts[status]++
	}
	return counts
}

func always(s string) func(int) string { return func(int) string { return s } }

func numbered(s string) func(int) string { return func(i int) string { return fmt.Sprint(s, i) } }

// scattered is an address of many.
func scattered(seed uint64) func(int) string {
	return func(i int) string {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		return fmt.Sprintf("198.%d.%d.%d", 18+random.IntN(2), random.IntN(256), random.IntN(256))
	}
}

// TestGuessesAreCountedOncePerCluster spreads guesses over three nodes: a device
// has one budget however many addresses it comes from, an address has one however
// many devices are behind it, and together they have the budget of the realm.
func TestGuessesAreCountedOncePerCluster(t *testing.T) {
	t.Parallel()
	c := startTrio(t, guessConfig)
	c.balanced()
	c.sampled = newSample(sampledShare)
	a := c.mustApp("one")
	doors := c.spread(a)
	host, short := a.hostWithCode("host")
	tries, terms := volume(300, 30_000), c.terms()

	c.wantLookups(terms, perDevice, perDevice, guesses(t, doors, tries, always("one device"), scattered(1)))
	// What the device has failed counts for the realm's minute too.
	c.wantLookups(terms, perAddress, perAddress, guesses(t, doors, tries, numbered("device "), always("203.0.113.1")))
	rest := perRealm - perDevice - perAddress
	c.wantLookups(terms, rest, rest+perRealm, guesses(t, doors, 2*tries, numbered("scattered "), scattered(2))) // the minute may change

	for _, door := range doors {
		refusedAsGuessing(t, door.mustGuess("honest", "203.0.113.9", short))
	}
	long, err := a.link(t.Context(), host)
	must(t, err)
	if got := a.mustGuess("honest", "203.0.113.9", long); got.Status != http.StatusCreated {
		t.Fatalf("a long code: got %d %s, want 201", got.Status, got.Body)
	}
	t.Logf("guesses=%d reached a look-up=%.0f", 4*tries, c.total(guessFailures))
}

// wantLookups checks how many guesses were answered as failed, and that the
// others were refused. On a machine that stalls a lead may move meanwhile: that
// forgives one budget and leaves some guesses unanswered.
func (c *trio) wantLookups(terms, least, most int, statuses map[int]int) {
	c.Helper()
	failed, refused := statuses[http.StatusBadRequest], statuses[http.StatusTooManyRequests]
	if c.terms() != terms {
		c.Logf("a lead has moved: %v", statuses)
		unanswered := statuses[http.StatusServiceUnavailable] + statuses[0]
		least, most, refused = least-unanswered, 2*most, refused+unanswered
	}
	all := 0
	for _, n := range statuses {
		all += n
	}
	if failed < least || failed > most || failed+refused != all {
		c.Fatalf("%d guesses reached a look-up, want %d to %d, and all others refused; answers %v", failed, least, most, statuses)
	}
}

// TestAFailoverForgivesOneBudget kills the node that counts the guesses in the
// middle of an attack from one address: what was counted and not yet written is
// forgiven, and that is one budget at most.
func TestAFailoverForgivesOneBudget(t *testing.T) {
	t.Parallel()
	c := startTrio(t, addressConfig)
	c.balanced()
	c.sampled = newSample(sampledShare)
	doors := c.spread(c.mustApp("one"))
	lookups := 0
	for round := range volume(1, 10) {
		address := fmt.Sprintf("203.0.113.%d", round)
		before := guesses(t, doors, perAddress/2, numbered(fmt.Sprint("early ", round, " ")), always(address))
		owner := c.counter()
		done := make(chan map[int]int, 1)
		go func() {
			done <- guesses(t, doors, 10*perAddress, numbered(fmt.Sprint("late ", round, " ")), always(address))
		}()
		c.kill(owner)
		c.settled()
		during := <-done
		after := guesses(t, c.running(doors), 2*perAddress, numbered(fmt.Sprint("later ", round, " ")), always(address))
		lookups = before[http.StatusBadRequest] + during[http.StatusBadRequest] + after[http.StatusBadRequest]
		if lookups < perAddress || lookups > 2*perAddress {
			t.Errorf("%d guesses reached a look-up over a failover, want %d to %d: %v, %v, %v", lookups, perAddress, 2*perAddress, before, during, after)
		}
		if after[http.StatusTooManyRequests] == 0 {
			t.Errorf("nobody is refused after the failover: %v", after)
		}
		c.start(owner)
		c.balanced()
	}
	t.Logf("look-ups over a failover: %d, budget %d", lookups, perAddress)
}

// counter is the node that leads the directory: the one that has counted.
func (c *trio) counter() *node {
	c.Helper()
	var owner *node
	most := -1.0
	for _, n := range c.up {
		if got := n.metric(guessFailures); got > most {
			owner, most = n, got
		}
	}
	return owner
}

// running is the part of the doors that lead to a node that runs.
func (c *trio) running(doors []*app) (open []*app) {
	for i, n := range c.nodes {
		if slices.Contains(c.up, n) {
			open = append(open, doors[i])
		}
	}
	return open
}
