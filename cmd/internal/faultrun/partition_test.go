package faultrun

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

// partition is a way to cut one node off.
type partition struct {
	name string
	cut  func(n *Network, one *Node, others []*Node)
}

var partitions = []partition{
	{"cut in both directions", func(n *Network, one *Node, others []*Node) { n.Part([]*Node{one}, others) }},
	{"hears and is not heard", func(n *Network, one *Node, others []*Node) { n.Mute([]*Node{one}, others) }},
	{"is heard and hears nothing", func(n *Network, one *Node, others []*Node) { n.Mute(others, []*Node{one}) }},
}

// cutFor is for how long a network is cut: a little longer than a node may take
// to notice.
const cutFor = 4 * time.Second

// TestANodeThatIsCutOffServesNothing cuts one node off from the others, in one
// direction or both. The others take over what it led. It says 503, soon and then
// at once, and when it is back nothing that it says is old.
func TestANodeThatIsCutOffServesNothing(t *testing.T) {
	c, network := StartApart(t)
	r := Begin(c, "cut", rate())
	failover := map[string]Failover{}
	for i := range volume(1, 5) * len(partitions) {
		p := partitions[i%len(partitions)]
		one := c.Nodes[rand.IntN(len(c.Nodes))]
		took := r.isolate(one, func() { p.cut(network, one, c.others(one)) }, network.Heal)
		t.Logf("%s %s", one, p.name)
		failover[p.name] = append(failover[p.name], took...)
	}
	r.Finish(t)
	for _, p := range partitions {
		failover[p.name].Report(t, p.name, long())
	}
}

// isolate cuts a node off and lets it back, and asks it on both sides of that for
// what changed meanwhile.
func (r *Run) isolate(one *Node, cut, heal func()) Failover {
	c := r.cluster
	c.Helper()
	led := c.ledBy(one)
	witnesses := r.witnesses(led)
	c.dismiss(one)
	r.contest.stubborn.Store(one)
	at := time.Now()
	cut()
	silent := make(chan Silence, 1)
	go func() { silent <- r.cutOff(one, at, cutFor) }()
	took := r.awaitWrites(at, c.others(one), led)
	r.eachMust(witnesses, (*witness).change)
	r.questionAll(one, witnesses)()
	(<-silent).Report(c, long())
	answered := r.questionAll(one, witnesses)
	healed := time.Now()
	heal()
	answered()
	r.contest.stubborn.Store(nil)
	c.enlist(one)
	c.AwaitPromise()
	c.Logf("whole again %v after the cut ended", time.Since(healed).Round(time.Millisecond))
	r.questionAll(one, witnesses)()
	return took
}

// TestACableIsPulled does the same with the kernel's own network: each node is in
// a namespace of its own, and its cable to the others is pulled.
func TestACableIsPulled(t *testing.T) {
	if !long() {
		t.Skip("network namespaces: only with SSOD_LONG=1")
	}
	spaces, err := newNamespaces()
	if err != nil {
		t.Skipf("not proved: %v", err)
	}
	t.Cleanup(spaces.close)
	c := start(t, 3, &Cluster{flags: []string{"--insecure"}, spaces: spaces})
	r := Begin(c, "cable", rate())
	var failover Failover
	for range volume(1, 5) {
		i := rand.IntN(len(c.Nodes))
		cut, heal := func() { c.must(spaces.pull(i + 1)) }, func() { c.must(spaces.plug(i + 1)) }
		failover = append(failover, r.isolate(c.Nodes[i], cut, heal)...)
	}
	r.Finish(t)
	failover.Report(t, "cable pulled", long())
}

// TestThreePartsServeNothing cuts every node off from every other. None of them
// serves, and when they hear each other again all of them do.
func TestThreePartsServeNothing(t *testing.T) {
	c, network := StartApart(t)
	r := Begin(c, "parts", rate())
	for range volume(1, 10) {
		at := time.Now()
		network.Part(c.Nodes[:1], c.Nodes[1:2], c.Nodes[2:])
		var parts sync.WaitGroup
		silent := make([]Silence, len(c.Nodes))
		for i, n := range c.Nodes {
			parts.Go(func() { silent[i] = r.cutOff(n, at, cutFor) })
		}
		parts.Wait()
		for _, s := range silent {
			s.Report(t, long())
		}
		healed := time.Now()
		network.Heal()
		took := slices.Max(r.awaitWrites(healed, c.Nodes, allShards()))
		t.Logf("every shard takes writes %v after the cut ended", took.Round(time.Millisecond))
		if long() && took > healWithin {
			t.Errorf("that is more than %v", healWithin)
		}
		c.AwaitPromise()
	}
	r.Finish(t)
}

// healWithin is how soon all is normal when the network is.
const healWithin = 5 * time.Second

func allShards() (shards []int) {
	for i := range Shards {
		shards = append(shards, 1+i)
	}
	return shards
}

// TestAFlappingNetwork cuts a node off and lets it back, every second. Then one
// node does not hear another one, while the third hears and is heard by both.
func TestAFlappingNetwork(t *testing.T) {
	lasting := 8 * time.Second
	if long() {
		lasting = 5 * time.Minute
	}
	c, network := StartApart(t)
	r := Begin(c, "flap", rate())
	pace := time.NewTicker(time.Second)
	defer pace.Stop()
	one := c.Nodes[rand.IntN(len(c.Nodes))]
	for end := time.Now().Add(lasting); time.Now().Before(end); {
		network.Part([]*Node{one}, c.others(one))
		<-pace.C
		network.Heal()
		<-pace.C
	}
	r.normal("the network flapped")
	network.Mute(c.Nodes[:1], c.Nodes[1:2])
	<-time.After(cutFor)
	network.Heal()
	r.normal("a node did not hear another one")
	r.Finish(t)
}

// normal waits until every shard takes writes at every node.
func (r *Run) normal(after string) {
	r.cluster.Helper()
	since := time.Now()
	for _, n := range r.cluster.Nodes {
		r.awaitWrites(since, []*Node{n}, allShards())
	}
	r.cluster.AwaitPromise()
	took := time.Since(since)
	r.cluster.Logf("%s; normal after %v", after, took.Round(time.Millisecond))
	if long() && took > healWithin {
		r.cluster.Errorf("that is more than %v", healWithin)
	}
}

// TestLateMessages lets what actors say to each other come up to two seconds
// late, so that they ask again and commands come twice: each has one effect.
func TestLateMessages(t *testing.T) {
	c, network := StartApart(t)
	r := Begin(c, "late", rate())
	for range volume(1, 10) {
		network.Late(2 * time.Second)
		<-time.After(cutFor)
		network.Late(0)
		r.normal("messages came late")
	}
	r.Finish(t)
}
