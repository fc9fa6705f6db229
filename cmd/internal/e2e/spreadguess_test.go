package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"

	"golang.org/x/sync/errgroup"
)

// guessFailures is the metric of guesses that reached a look-up and failed.
const guessFailures = "ssod_link_guess_failures_total"

// guesses sends wrong codes through all nodes in turn and counts the answers; 0
// counts those that were not answered, which may have reached a look-up.
func guesses(t *testing.T, doors []*app, n int, device, address, code func(i int) string) map[int]int {
	t.Helper()
	group := errgroup.Group{}
	group.SetLimit(32)
	statuses := make([]int, n)
	for i := range n {
		group.Go(func() error {
			a := doors[i%len(doors)]
			answer, err := a.guess(t.Context(), device(i), address(i), code(i))
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
// many devices are behind it, and together they may be expected to hit what the
// realm accepts, also when the node that meters them is killed meanwhile.
func TestGuessesAreCountedOncePerCluster(t *testing.T) {
	t.Parallel()
	c := startTrio(t, timidConfig)
	c.balanced()
	c.sampled = newSample(sampledShare)
	a := c.mustApp("one")
	doors := c.spread(a)
	_, short := a.hostWithCode("host")
	tries, terms, code := volume(200, 30_000), c.terms(), distant(t, short)

	c.wantLookups(terms, perDevice, perDevice, guesses(t, doors, tries, always("one device"), scattered(1), code))
	c.wantLookups(terms, perAddress, perAddress, guesses(t, doors, tries, numbered("device "), always("203.0.113.1"), code))

	owner := c.counter()
	early := guesses(t, doors, 200, numbered("early "), scattered(2), code)
	done := make(chan map[int]int, 1)
	go func() { done <- guesses(t, doors, 400, numbered("late "), scattered(3), code) }()
	c.kill(owner)
	c.settled()
	late := <-done
	open := c.running(doors)
	rest := guesses(t, open, 1000, numbered("last "), scattered(4), code)
	lookups := perDevice + perAddress + early[http.StatusBadRequest] + late[http.StatusBadRequest] + rest[http.StatusBadRequest]
	unanswered := late[0] + late[http.StatusServiceUnavailable] + rest[0] + rest[http.StatusServiceUnavailable]
	// What the failover takes is a step of 20 look-ups, and so is what closing leaves.
	if lookups > timidLookups || lookups+unanswered < 700-3*20 {
		t.Errorf("%d guesses reached a look-up over a failover, want nearly 700 and at most %d: %v, %v, %v", lookups, timidLookups, early, late, rest)
	}
	for _, door := range open {
		refusedAsClosed(t, door.mustGuess("honest", "203.0.113.9", short))
	}
	if got := open[0].mustGuess("sibling", "127.0.0.1", short); got.Status != http.StatusCreated {
		t.Errorf("the code in its own network: got %d %s, want 201", got.Status, got.Body)
	}
	t.Logf("look-ups over a failover: %d, unanswered %d, expected wrong hits %v of 0.001", lookups, unanswered, c.total("ssod_link_expected_wrong_hits"))
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
	c := startTrio(t, guessConfig)
	c.balanced()
	c.sampled = newSample(sampledShare)
	doors := c.spread(c.mustApp("one"))
	lookups := 0
	for round := range volume(1, 10) {
		address := fmt.Sprintf("203.0.113.%d", round)
		before := guesses(t, doors, perAddress/2, numbered(fmt.Sprint("early ", round, " ")), always(address), digits)
		owner := c.counter()
		done := make(chan map[int]int, 1)
		go func() {
			done <- guesses(t, doors, 10*perAddress, numbered(fmt.Sprint("late ", round, " ")), always(address), digits)
		}()
		c.kill(owner)
		c.settled()
		during := <-done
		after := guesses(t, c.running(doors), 2*perAddress, numbered(fmt.Sprint("later ", round, " ")), always(address), digits)
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
