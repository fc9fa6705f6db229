package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// stage is a cluster of three processes for tales, with two apps of one service
// provider.
type stage struct {
	*trio
	secret      []byte // key of the service tokens
	first, last *app
	foreign     bool // AcmeTV is no sandbox
}

// startStage starts a stage. AcmeTV is the sandbox, or has the keys acme. The key of service tokens is read while the cluster
// is one node that does not run.
func startStage(t *testing.T, acme string) *stage {
	t.Helper()
	c := newTrio(t, worldConfig(lifetimes{public: publicURL, others: "confirm", acme: acme}))
	c.sampled = newSample(sampledShare)
	s := &stage{trio: c, secret: c.foundWithKeys()}
	s.first, s.last = c.mustApp("STREAM1"), c.mustApp("STREAM1")
	return s
}

// begin begins a flow with people of its own.
func (c *stage) begin(f flow, name string) *tale {
	s := newTale(c.first, c.last, " "+name)
	s.secret, s.foreign = c.secret, c.foreign
	if f.given != nil {
		f.given(s)
	}
	return s
}

// TestFlowsOnThreeNodes plays every flow on a cluster of three processes, each
// request on a node of its own: first undisturbed, then with the death of a node
// before and during each step. Every tale must complete, its steps repeated
// until they are answered; and within ten seconds of the death, before anybody
// repeats anything, there is neither half a login nor half a logout. It prints
// a table.
func TestFlowsOnThreeNodes(t *testing.T) {
	t.Parallel()
	c := startStage(t, "")
	c.play(volume(1, 10))
}

// play plays every flow, and every flow again with deaths, some times.
func (c *stage) play(rounds int) {
	c.Helper()
	for i, f := range flows {
		s := c.begin(f, fmt.Sprint(i))
		for _, step := range f.steps {
			if err := step.do(s, c.Context()); err != nil {
				c.Fatalf("%s: %s: %v", f.name, step.name, err)
			}
		}
	}
	seed := uint64(time.Now().UnixNano())
	c.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, seed))
	for round := range rounds {
		before, during := c.deaths("b", round), c.deaths("d", round)
		victims := random.Perm(len(c.nodes))
		c.killBetween(before, c.nodes[victims[0]])
		c.killDuring(during, c.nodes[victims[1]], time.Duration(random.IntN(30))*time.Millisecond)
		c.Log("outcome when a node dies before, and during the step\n" + tabulate(before, during))
	}
}

// death is a tale in which a node dies at one of its steps.
type death struct {
	flow flow
	step int
	tale *tale
	err  error // nil: the tale completed

	unanswered bool // the step, when the node died
}

// deaths are tales for every step of every flow.
func (c *stage) deaths(name string, round int) (all []*death) {
	for i, f := range flows {
		for k := range f.steps {
			all = append(all, &death{flow: f, step: k, tale: c.begin(f, fmt.Sprint(name, round, " ", i, " ", k))})
		}
	}
	return all
}

// killBetween plays all tales up to their step, kills a node, and plays on.
func (c *stage) killBetween(all []*death, victim *node) {
	c.Helper()
	c.each(all, manyTales, (*death).playTo)
	c.kill(victim)
	c.each(all, manyTales, (*death).goOn)
	c.back(all, victim)
}

// killDuring kills the node that the step of every tale is asked of, some time
// after they all began.
func (c *stage) killDuring(all []*death, victim *node, after time.Duration) {
	c.Helper()
	c.each(all, manyTales, (*death).playTo)
	c.through(victim)
	dead := make(chan struct{})
	time.AfterFunc(after, func() {
		defer close(dead)
		c.kill(victim)
	})
	c.each(all, len(all), (*death).interrupted)
	<-dead
	c.through(nil)
	c.each(all, manyTales, (*death).goOn)
	c.back(all, victim)
}

// back starts the victim again and reports what went wrong without it.
func (c *stage) back(all []*death, victim *node) {
	c.Helper()
	c.start(victim)
	c.settled()
	for _, d := range all {
		if d.err != nil {
			c.Errorf("%s, a node died at %q: %v", d.flow.name, d.flow.steps[d.step].name, d.err)
		}
	}
}

// manyTales are played at once.
const manyTales = 24

// each does something with all tales, some at a time.
func (c *stage) each(all []*death, atOnce int, do func(*death, context.Context)) {
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, d := range all {
		if d.err == nil {
			group.Go(func() error { do(d, c.Context()); return nil })
		}
	}
	_ = group.Wait() // what went wrong is in the tales
}

// playTo plays up to the step at which the node will die.
func (d *death) playTo(ctx context.Context) { d.play(ctx, d.flow.steps[:d.step]) }

func (d *death) play(ctx context.Context, steps []step) {
	for _, step := range steps {
		err := eventually(ctx, func(ctx context.Context) error { return step.do(d.tale, ctx) })
		if err != nil {
			d.err = fmt.Errorf("%q: %w", step.name, err)
			return
		}
	}
}

// interrupted tries the step once.
func (d *death) interrupted(ctx context.Context) {
	d.tale.interrupted = true
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	d.unanswered = d.flow.steps[d.step].do(d.tale, ctx) != nil
}

// goOn waits until nothing is half done, and plays the rest.
func (d *death) goOn(ctx context.Context) {
	if err := eventually(ctx, d.tale.agrees); err != nil {
		d.err = fmt.Errorf("not whole again: %w", err)
		return
	}
	d.play(ctx, d.flow.steps[d.step:])
}

// tabulate prints the outcome of each step.
func tabulate(before, during []*death) string {
	outcome := func(d *death) string {
		if d.err != nil {
			return "FAILED"
		}
		if d.unanswered {
			return "repeated, completed"
		}
		return "completed"
	}
	var b strings.Builder
	for i, d := range before {
		fmt.Fprintf(&b, "%-36s %-40s %-12s %s\n", d.flow.name, d.flow.steps[d.step].name, outcome(d), outcome(during[i]))
	}
	return b.String()
}
