package faultrun

import (
	"regexp"
	"slices"
	"testing"
	"time"
)

// deadAfter is for how long a node is unreachable before what it holds is replaced, in
// tests that wait for that.
const deadAfter = 3 * time.Second

// TestBlockedGossipMovesNothing takes the gossip away from a cluster whose nodes reach
// each other otherwise. Each believes then that all others are gone, as far as gossip
// is concerned; for longer than it takes to replace a dead node they lead what they
// led, with the same replicas, and no call fails.
func TestBlockedGossipMovesNothing(t *testing.T) {
	if !long() {
		t.Skip("it takes gossip a minute to give everybody up; SSOD_LONG=1 runs it")
	}
	c, network := StartApart(t, "--dead-after", deadAfter.String())
	c.settledTerms()
	r := Begin(c, "gossip", slowRate)
	before, err := c.view(c.Nodes[0])
	c.must(err)
	network.BlockGossip()
	c.until("gossip takes all others for gone", readyWithin, func() bool {
		return !slices.ContainsFunc(c.Nodes, func(n *Node) bool { return !n.gossipsAlone() })
	})
	<-time.After(deadAfter + 2*time.Second)
	after, err := c.view(c.Nodes[0])
	c.must(err)
	for s, was := range before.Shards {
		if is := after.Shards[s]; is.Leader != was.Leader || is.Term != was.Term || !slices.Equal(is.Replicas, was.Replicas) {
			t.Errorf("shard %d: %+v became %+v", s, was, is)
		}
	}
	for _, n := range after.Nodes {
		if n.State == "dead" || n.State == "unreachable" {
			t.Errorf("node %s is %s", n.Name, n.State)
		}
	}
	network.Heal()
	r.Finish(t)
	if n := r.Failed(); n > 0 {
		t.Errorf("%d calls failed", n)
	}
}

var aliveMembers = regexp.MustCompile(`(?m)^ssod_cluster_members\{state="alive"\} 1$`)

// gossipsAlone reports whether a node knows by gossip of no other that is alive.
func (n *Node) gossipsAlone() bool {
	_, text := n.Page("/metrics")
	return aliveMembers.MatchString(text)
}
