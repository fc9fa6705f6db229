package e2e

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"ssod/cmd/internal/ssodtest"
)

// TestLoginsLeaveNothing logs the same viewers in and out at foreign providers for
// SSOD_LOGINS_FOR (2m if it is not set), and prints what the process holds meanwhile.
// Goroutines and files stay what they were after the first third, and the live heap
// stays below --memory: an hour has a hundred thousand logins, so 1 kB that each leaves
// would show.
func TestLoginsLeaveNothing(t *testing.T) {
	if !ssodtest.Long() {
		t.Skip("takes minutes; SSOD_LONG=1 runs it")
	}
	long, err := time.ParseDuration(cmp.Or(os.Getenv("SSOD_LOGINS_FOR"), "2m"))
	must(t, err)
	for _, start := range []func(*testing.T) abroad{overOpenID, overSAML} {
		provider := start(t)
		t.Run(provider.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emptyWorld(t), lifetimes{public: publicURL, acme: provider.keys})
			w.Kill()
			w.Flags = append(w.Flags, "--memory", "128MiB") // the least
			w.Start()
			provider.meet(w.node)
			w.mustLeaveNothing(t, long)
		})
	}
}

// holding is what a process holds at a moment.
type holding struct {
	cost            // without idle workers
	workers int     // of the actors, that wait for work: it keeps some, up to a bound
	heap    float64 // live bytes
}

// keptWorkers is how many idle workers the actors keep at most.
const keptWorkers = 512

// idleWorkers counts those that wait in their loop, and not in what they run.
func (n *node) idleWorkers() (count int) {
	n.Helper()
	for stack := range strings.SplitSeq(n.goroutines(), "\n\n") {
		_, frames, _ := strings.Cut(stack, "\n")
		if strings.HasPrefix(frames, "ssod/actors.(*dispatcher).serve(") {
			count++
		}
	}
	return count
}

func (n *node) holds() holding {
	n.Helper()
	if status, _, err := n.Ask(http.MethodPost, "/debug/pprof/heap?gc=1", nil); err != nil || status != http.StatusOK {
		n.Fatalf("a heap profile: %d, %v", status, err)
	}
	h := holding{cost: n.cost(), workers: n.idleWorkers(), heap: n.metric("go_memstats_heap_alloc_bytes")}
	h.goroutines -= h.workers
	return h
}

func (w *world) mustLeaveNothing(t *testing.T, long time.Duration) {
	t.Helper()
	const viewers, samples = 8, 9
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	var group errgroup.Group
	logins := make([]int, viewers)
	for i := range viewers {
		s := newTale(w.stream, w.stream, fmt.Sprint(" ", i))
		s.foreign = true
		group.Go(func() error {
			for ; ctx.Err() == nil; logins[i]++ {
				for _, step := range roundTrip {
					if err := step.do(s, t.Context()); err != nil {
						return fmt.Errorf("after %d logins: %s: %w", logins[i], step.name, err)
					}
				}
				s.notAfter = "" // the next login has another
			}
			return nil
		})
	}
	var held []holding
	tick := time.NewTicker(long / (samples + 1))
	defer tick.Stop()
	for range samples {
		<-tick.C
		h := w.holds()
		held = append(held, h)
		t.Logf("%d goroutines and %d idle workers, %d files, live heap %.1f MB", h.goroutines, h.workers, h.files, h.heap/1e6)
	}
	must(t, group.Wait())
	total := 0
	for _, n := range logins {
		total += n
	}
	settled, end := held[samples/3], held[samples-1]
	t.Logf("%d logins and logouts in %v", total, long)
	if total == 0 || !end.within(settled.cost) {
		t.Errorf("the process holds %+v after %+v", end.cost, settled.cost)
	}
	if end.workers > keptWorkers {
		t.Errorf("%d idle workers, more than are kept", end.workers)
	}
	if end.heap > 128<<20 {
		t.Errorf("the live heap is %.1f MB, more than --memory", end.heap/1e6)
	}
}

// roundTrip is a login, a decision and a logout of a phone.
var roundTrip = []step{
	{"phone signs in", signsIn(phone)},
	{"phone begins a session", begins(phone)},
	{"browser opens the login", (*tale).openLogin},
	{"browser comes back", (*tale).comeBack},
	{"phone finds the login by code", findsByCode(phone)},
	{"phone watches", decides(phone, "channel-1", permit)},
	{"phone logs out", logsOut(phone)},
	{"browser ends the session at the MVPD", (*tale).leaveMVPD},
	{"phone finds nothing", finds(phone, "")},
}
