package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ssod/bench/process"
	"ssod/cluster/transport/transporttest"
	"ssod/cmd/internal/ssodtest"
)

// trio is a cluster of three processes. Calls of the node go to any of those
// that run.
type trio struct {
	*node
	authority *transporttest.Authority
	secret    string // file
	config    string
	common    []string // flags of every node
	// host is what the nodes dial instead of 127.0.0.1; empty: that. before is
	// called with each node before it starts for the first time; may be nil.
	host   string
	before func(*node)

	mu    sync.Mutex
	nodes []*node
	up    []*node
	only  *node // where all calls go; nil: to any
}

// startTrio starts a node and lets two join it, over mutual TLS.
func startTrio(t *testing.T, config string) *trio {
	t.Helper()
	c := newTrio(t, config)
	for range 3 {
		c.add()
	}
	return c
}

func newTrio(t *testing.T, config string) *trio {
	t.Helper()
	authority, err := transporttest.NewAuthority(t.TempDir())
	must(t, err)
	c := &trio{node: newNode(t, config), authority: authority, secret: ssodtest.NewSecret(t, t.TempDir()), config: config}
	c.node.front = c.any
	return c
}

// add starts one more node. All but the first join the first.
func (c *trio) add() {
	c.Helper()
	name := fmt.Sprint("n", len(c.nodes)+1)
	flags := append([]string{"--node", name, "--shards", "16"}, c.papers(name)...)
	if len(c.nodes) > 0 {
		flags = append(flags, "--join", c.dialed(c.nodes[0].Gossip))
	}
	n := newNode(c, c.config, append(flags, c.common...)...)
	n.Secret = c.secret
	writeIssuerKeys(c, n.Dir)
	writePlatformKey(c, n.Dir)
	writeWebhookSecret(c, n.Dir)
	var err error
	n.Addresses, err = process.FreeAddresses(5)
	must(c, err)
	if c.before != nil {
		c.before(n)
	}
	c.nodes = append(c.nodes, n)
	c.start(n)
}

// papers are the flags of a certificate; none without an authority.
func (c *trio) papers(name string) []string {
	c.Helper()
	if c.authority == nil {
		return nil
	}
	files, err := c.authority.Issue(name)
	must(c, err)
	return []string{"--tls-cert", files.Cert, "--tls-key", files.Key, "--tls-ca", files.CA}
}

// dialed is where nodes reach what another one listens at.
func (c *trio) dialed(address string) string {
	if c.host == "" {
		return address
	}
	return strings.Replace(address, "127.0.0.1", c.host, 1)
}

// any is one of the nodes that run.
func (c *trio) any() *node {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.only != nil {
		return c.only
	}
	return c.up[rand.IntN(len(c.up))]
}

// through lets all calls go to one node, or to any again.
func (c *trio) through(n *node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.only = n
}

func (c *trio) start(n *node) {
	c.Helper()
	n.Start()
	c.joined(n)
}

func (c *trio) kill(n *node) {
	n.Kill()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.up = slices.DeleteFunc(c.up, func(o *node) bool { return o == n })
}

// settled waits until the nodes that run can serve everything.
func (c *trio) settled() {
	c.Helper()
	for _, n := range slices.Clone(c.up) {
		n.AwaitReady()
	}
}

// promised waits until any node may die: every node that runs says that each shard
// has three who vote, and that this is written down. (Two who vote acknowledge on two nodes, and need both.)
func (c *trio) promised() {
	c.Helper()
	until(c, "three votes for every shard", func() bool {
		for _, n := range c.up {
			if !n.seesThreeVotes() {
				return false
			}
		}
		return true
	})
}

func (n *node) seesThreeVotes() bool {
	n.Helper()
	shards := n.shards()
	for i, s := range shards {
		// Where there are more than three nodes, more of them vote or listen in the meta shard, and
		// only those that hold a shard can tell whether its voters are written down.
		three := len(s.Replicas) == 3 || i == 0 && len(s.Replicas) > 3
		confirmed := s.Confirmed || !slices.Contains(s.Replicas, n.name())
		absent := slices.ContainsFunc(s.Replicas, func(name string) bool { return strings.Contains(name, "(") }) // "n2 (removed)"
		if s.Leader == "" || !three || i > 0 && len(s.Learners) > 0 || absent || !confirmed {
			return false
		}
	}
	return len(shards) > 0
}

// patient checks a fact again while its shard has no owner.
func (c *trio) patient(ctx context.Context, f fact) (err error) {
	until(c, "an answer about "+f.what, func() bool {
		err = f.check(ctx)
		return !unavailable(err)
	})
	return err
}

// visit plays the life of a viewer, another one if a shard had no owner.
func (c *trio) visit(a *app, facts *ledger, name string, random *rand.Rand) {
	c.Helper()
	for attempt := 0; ; attempt++ {
		err := visit(c.Context(), a, facts, fmt.Sprint(name, "-", attempt), random)
		if err == nil {
			return
		}
		if !unavailable(err) || attempt == 5 {
			c.Fatal(err)
		}
	}
}

// TestAnyNodeAnswersAnything plays the life of viewers, each call on a node of
// its own, while the cluster grows from one node to three.
func TestAnyNodeAnswersAnything(t *testing.T) {
	t.Parallel()
	c := startTrio(t, crashConfig)
	facts := newLedger()
	apps := []*app{c.mustApp("one"), c.mustApp("two")}
	random := rand.New(rand.NewPCG(1, 1))
	for i := range volume(30, 300) {
		c.visit(apps[i%2], facts, fmt.Sprint("viewer", i), random)
	}
	for k := range 3 {
		must(t, operate(t.Context(), c.node, facts, k))
	}
	facts.look = c.patient
	if lost := report(t, facts, facts.since(0)); lost > 0 {
		t.Errorf("lost_acks=%d", lost)
	}
}

// TestNothingIsLostWithANode kills a random node under load, again and again,
// and asks the others for everything that was acknowledged.
func TestNothingIsLostWithANode(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, seed))
	c := startTrio(t, crashConfig)
	c.sampled = newSample(20)
	facts := newLedger()
	facts.look = c.patient
	apps := []*app{c.mustApp("one"), c.mustApp("two")}
	rounds, lost := volume(3, 100), 0
	c.promised()
	for round := range rounds {
		before := facts.next
		victim := c.nodes[random.IntN(len(c.nodes))]
		delay := shortestRound + time.Duration(random.Int64N(int64(longestRound)))
		c.killUnderLoad(apps, facts, fmt.Sprint("r", round), seed, victim, delay)
		c.settled()
		lost += report(t, facts, facts.since(before))
		c.start(victim)
	}
	lost += report(t, facts, facts.since(0))
	t.Logf("kills=%d acknowledged=%d lost_acks=%d", rounds, facts.total, lost)
	if facts.total < 10*rounds {
		t.Errorf("only %d facts were acknowledged", facts.total)
	}
}

// TestAnEmptyDiskIsReplaced wipes the disk of a node that is down. It comes back
// under its name, and two others can die after that.
func TestAnEmptyDiskIsReplaced(t *testing.T) {
	t.Parallel()
	c := startTrio(t, crashConfig)
	c.promised()
	facts := newLedger()
	facts.look = c.patient
	a := c.mustApp("one")
	random := rand.New(rand.NewPCG(1, 1))
	for i := range 10 {
		c.visit(a, facts, fmt.Sprint("viewer", i), random)
	}
	victim := c.nodes[1]
	c.kill(victim)
	must(t, os.RemoveAll(victim.Data()))
	c.start(victim)
	c.promised()
	c.kill(c.nodes[2])
	c.settled()
	if lost := report(t, facts, facts.since(0)); lost > 0 {
		t.Errorf("lost_acks=%d", lost)
	}
}

// killUnderLoad kills a node after a delay; the load goes on until others have
// taken over.
func (c *trio) killUnderLoad(apps []*app, facts *ledger, name string, seed uint64, victim *node, delay time.Duration) {
	c.Helper()
	ctx, stop := context.WithCancel(c.Context())
	defer stop()
	var working sync.WaitGroup
	for i := range viewersAtOnce {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		working.Go(func() {
			for k := 0; ctx.Err() == nil; k++ {
				err := visit(ctx, apps[i%len(apps)], facts, fmt.Sprintf("%s-%d-%d", name, i, k), random)
				if errors.Is(err, errStatus) && !unavailable(err) {
					c.Errorf("under load: %v", err)
				}
			}
		})
	}
	<-time.After(delay) // the moment of the kill is the input of this test
	c.kill(victim)
	c.settled()
	<-time.After(delay)
	stop()
	working.Wait()
}

// unavailable reports whether the answer was that a shard has no owner now.
func unavailable(err error) bool {
	status, _ := refusal(err)
	return status == http.StatusServiceUnavailable
}
