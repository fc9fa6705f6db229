package trial_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/trial"
	"ssod/cluster"
	"ssod/cluster/faulty"
)

// turnstile lets one of several callers ask at a time, chosen at random when all of them
// wait: so a seed plays one interleaving of their asks.
type turnstile struct {
	actors.Asker
	mu      sync.Mutex
	random  *rand.Rand
	waiting map[int]chan struct{} // by caller
	live    int
}

// caller is the asker of one of them.
type caller struct {
	*turnstile
	number int
}

func (c caller) Ask(ctx context.Context, to actors.Address, request cluster.RequestID, step uint32, command proto.Message) (proto.Message, error) {
	turn := make(chan struct{})
	c.mu.Lock()
	c.waiting[c.number] = turn
	c.next()
	c.mu.Unlock()
	<-turn
	return c.Asker.Ask(ctx, to, request, step, command)
}

// next lets one in if all that are left wait. The lock is held.
func (t *turnstile) next() {
	if len(t.waiting) < t.live || t.live == 0 {
		return
	}
	numbers := make([]int, 0, len(t.waiting))
	for n := range t.waiting {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	chosen := numbers[t.random.IntN(len(numbers))]
	close(t.waiting[chosen])
	delete(t.waiting, chosen)
}

func (t *turnstile) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.live--
	t.next()
}

// TestATrialStartsOnceHoweverItIsAskedFor plays devices of one viewer in many interleavings:
// whichever trials they draw, one begins.
func TestATrialStartsOnceHoweverItIsAskedFor(t *testing.T) {
	w := newWorld(t, faulty.Options{})
	for seed := range uint64(400) {
		const callers, most = 6, 3
		gate := &turnstile{Asker: w.Asker, random: rand.New(rand.NewPCG(seed, 0)), waiting: map[int]chan struct{}{}, live: callers}
		viewer := fmt.Sprint("viewer ", seed)
		began, permitted := map[int64]bool{}, 0
		var mu sync.Mutex
		var done sync.WaitGroup
		for i := range callers {
			done.Go(func() {
				defer gate.leave()
				who := by(fmt.Sprint(viewer, " device ", i%5), viewer)
				o, err := trial.Client{Asker: caller{gate, i}}.Use(t.Context(), request(), who, trial.Allowed{TTL: anHour.TTL, MaxResources: most}, []string{fmt.Sprint("film ", i)})
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
					return
				}
				began[o.View.GetBeganMs()] = true
				if o.Permitted[0] {
					permitted++
				}
			})
		}
		done.Wait()
		if len(began) != 1 || permitted != most {
			t.Fatalf("seed %d: %d starts, %d resources, want 1 and %d", seed, len(began), permitted, most)
		}
	}
}
