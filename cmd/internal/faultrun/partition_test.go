package faultrun

import (
	"math/rand/v2"
	"testing"
	"time"
)

// partition is a way to cut one node off.
type partition struct {
	name string
	cut  func(n *Network, one *Node, others []*Node)
}

var partitions = []partition{
	{"in both directions", func(n *Network, one *Node, others []*Node) { n.Part([]*Node{one}, others) }},
	{"it hears and is not heard", func(n *Network, one *Node, others []*Node) { n.Mute([]*Node{one}, others) }},
	{"it is heard and hears nothing", func(n *Network, one *Node, others []*Node) { n.Mute(others, []*Node{one}) }},
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
	var failover Failover
	for i := range volume(1, 5) * len(partitions) {
		p := partitions[i%len(partitions)]
		one := c.Nodes[rand.IntN(len(c.Nodes))]
		led := c.ledBy(one)
		witnesses := r.witnesses(led)
		c.dismiss(one)
		at := time.Now()
		p.cut(network, one, c.others(one))
		silent := make(chan Silence, 1)
		go func() { silent <- r.cutOff(one, at, cutFor) }()
		failover = append(failover, r.awaitWrites(at, one, led)...)
		r.eachMust(witnesses, (*witness).change)
		r.questionAll(one, witnesses)()
		t.Logf("%s is cut off: %s", one, p.name)
		(<-silent).Report(t, long())
		answered := r.questionAll(one, witnesses)
		healed := time.Now()
		network.Heal()
		answered()
		c.enlist(one)
		c.AwaitPromise()
		t.Logf("whole again %v after the cut ended", time.Since(healed).Round(time.Millisecond))
		r.questionAll(one, witnesses)()
	}
	r.Finish(t)
	failover.Report(t, long())
}
