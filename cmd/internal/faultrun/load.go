package faultrun

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Load lets viewers arrive at a steady rate, whatever the cluster does, and
// judges every answer they get. Each viewer has a profile that nobody else
// touches, so it knows what an answer must be; see [Verdict].
type Load struct {
	// Verdict is what was found so far.
	Verdict *Verdict
	// Ledger has what was acknowledged.
	Ledger *Ledger

	contest *Contest
	cluster *Cluster
	apps    [2]*app // of two realms
	secrets *secrets
	name    string // begins the names of viewers
	seed    uint64
	viewers atomic.Int64 // that arrived
	missed  atomic.Int64 // that did not, because too many wait
	present atomic.Int64
	cancel  context.CancelFunc
	tasks   sync.WaitGroup

	mu      sync.Mutex
	answers []sample
	strange []error // answers that no fault explains
}

// sample is how a call ended.
type sample struct {
	at   time.Time // of the call
	took time.Duration
	fate fate
	node *Node // that was asked; nil: none was ready
	// doubt: the node says that it does not know whether the call had its effect.
	doubt bool
}

// fate is how a call ended, for its viewer.
type fate int

const (
	served      fate = iota
	unavailable      // 503
	unanswered       // the connection broke or was refused
	nowhere          // no node was ready
	fates
)

const (
	// callsPerViewer is how many calls a viewer makes on average.
	callsPerViewer = 14
	// crowd bounds how many are there at a time: those who arrive in so long. A
	// machine that cannot serve what comes is not given ever more of it.
	crowd    = 8 * time.Second
	arrivals = 10 * time.Millisecond
)

// unknownOutcome is in the body of an answer that leaves open whether the call had
// its effect.
const unknownOutcome = "the outcome is unknown"

// NewLoad registers the apps of the load. The name tells the viewers of one
// load from those of another.
func NewLoad(c *Cluster, name string) *Load {
	c.Helper()
	l := &Load{
		Verdict: &Verdict{}, cluster: c, secrets: newSecrets(), name: name, seed: rand.Uint64(),
	}
	l.Ledger, l.contest = &Ledger{load: l}, newContest(l)
	for i, realm := range []string{"one", "two"} {
		var err error
		l.apps[i], err = newApp(l, realm)
		c.must(err)
	}
	return l
}

// Begin lets viewers arrive who make so many calls per second together.
func (l *Load) Begin(perSecond int) {
	ctx, cancel := context.WithCancel(l.cluster.Context())
	l.cancel = cancel
	l.tasks.Go(func() { l.arrive(ctx, perSecond) })
	l.tasks.Go(func() { l.operate(ctx) })
	for i := range contests {
		l.tasks.Go(func() { l.contest.run(ctx, uint64(i)) })
	}
}

// End lets nobody arrive any more and waits for those who are there.
func (l *Load) End() {
	l.cancel()
	l.tasks.Wait()
}

func (l *Load) arrive(ctx context.Context, perSecond int) {
	tick := time.NewTicker(arrivals)
	defer tick.Stop()
	began, due := time.Now(), 0.0
	most := int64(crowd.Seconds() * float64(perSecond) / callsPerViewer)
	for sent := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for due = time.Since(began).Seconds() * float64(perSecond) / callsPerViewer; float64(sent) < due; sent++ {
			l.admit(most)
		}
	}
}

// admit lets a viewer arrive, unless so many are there.
func (l *Load) admit(most int64) {
	if l.present.Add(1) > most {
		l.present.Add(-1)
		l.missed.Add(1)
		return
	}
	number := l.viewers.Add(1)
	l.tasks.Go(func() {
		defer l.present.Add(-1)
		newViewer(l, number).live()
	})
}

// maxStrange bounds the unexpected answers that are kept.
const maxStrange = 20

// note keeps how a call ended, and an answer that no fault explains.
func (l *Load) note(s sample, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers = append(l.answers, s)
	if err != nil && len(l.strange) < maxStrange {
		l.strange = append(l.strange, err)
	}
}

// Summary says how many calls there were, how they ended and how long they
// took.
func (l *Load) Summary() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ends [fates]int
	var took []time.Duration
	for _, s := range l.answers {
		ends[s.fate]++
		took = append(took, s.took)
	}
	return fmt.Sprintf("viewers=%d missed=%d calls=%d unavailable=%d unanswered=%d nowhere=%d p50=%v p99=%v", l.viewers.Load(), l.missed.Load(),
		len(took), ends[unavailable], ends[unanswered], ends[nowhere], quantile(took, 0.5), quantile(took, 0.99))
}

// Failed is how many calls were not served.
func (l *Load) Failed() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.answers {
		if s.fate != served {
			n++
		}
	}
	return n
}

// Typical is the median of what answers took.
func (l *Load) Typical() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	var took []time.Duration
	for _, s := range l.answers {
		if s.fate == served {
			took = append(took, s.took)
		}
	}
	return quantile(took, 0.5)
}

// quantile is the smallest duration that a share of all does not exceed.
func quantile(all []time.Duration, share float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(int(share*float64(len(all))), len(all)-1)].Round(100 * time.Microsecond)
}
