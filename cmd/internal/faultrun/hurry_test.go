package faultrun

import (
	"testing"
	"time"

	"ssod/cmd/internal/ssodtest"
)

// lasting is for how long a process asks that must not be taken in: longer than
// nobody may have heard a node that is replaced.
const lasting = ssodtest.SilentFor + time.Second

// ownDisk is in what a node is told that is needed.
const ownDisk = "--data directory that it had"

// wide are the shards of clusters that are caught half-way: moving them takes a
// moment.
var wide = []string{"--shards", "64"}

// TestGrowthThatIsInterrupted loses the founder while most shards have no other
// voter yet. An empty disk under its name must not take its place: what was
// acknowledged is on its own.
func TestGrowthThatIsInterrupted(t *testing.T) {
	c := StartOne(t, wide...)
	n1, n2 := c.Nodes[0], c.Add()
	tale := Tell(c, "growth")
	n2.Start()
	n3 := c.Add()
	n3.Launch()
	c.awaitHalfWay(n3, n2, moved)
	n1.Kill()
	c.until("the others lead the meta shard", readyWithin, func() bool {
		v, err := c.view(n2)
		return err == nil && v.Shards[0].Leader != n1.Name && v.Shards[0].Leader != ""
	})
	n1.SetAside()
	n1.MustBeRefused(lasting, ownDisk)
	n1.Kill()
	n1.PutBack()
	n1.Launch()
	tale.MustHold()
	n3.AwaitReady()
	n1.MustBeMember(n3)
	c.AwaitPromise()
}

// moved is how many data shards have a new voter when a cluster is caught.
const moved = 2

// awaitHalfWay waits until a node votes in the meta shard and in some data shards
// but by far not in all, as another one says.
func (c *Cluster) awaitHalfWay(n, at *Node, moved int) {
	c.Helper()
	var v view
	c.until("a node votes in some shards", readyWithin, func() (ok bool) {
		var err error
		v, err = c.view(at)
		return err == nil && v.behind(n) > 0 && v.behind(n) <= len(v.Shards)-1-moved
	})
	c.Logf("%s has no vote yet in %d of %d shards", n, v.behind(n), len(v.Shards))
}

// TestAHalfReplacedNode starts n2 on an empty disk while n1, which was replaced
// so, has not caught up: both of them would be missed. When n1 has caught up, n2
// may be replaced too.
func TestAHalfReplacedNode(t *testing.T) {
	c := Start(t, wide...)
	tale := Tell(c, "half replaced")
	n1, n2, n3 := c.Nodes[0], c.Nodes[1], c.Nodes[2]
	n1.Kill()
	n1.Wipe()
	n1.Launch()
	c.awaitHalfWay(n1, n3, 0)
	n2.Kill()
	c.until("n2 is seen to be gone", readyWithin, func() bool {
		v, err := c.view(n3)
		return err == nil && v.state(n2) == "unreachable"
	})
	c.MustNotRemove(n2, n3)
	n2.SetAside()
	n2.MustBeRefused(lasting, ownDisk)
	n2.Kill()
	n2.PutBack()
	n2.Launch()
	tale.MustHold()
	n1.AwaitReady()
	n2.MustBeMember(n3)
	c.AwaitPromise()

	n2.Kill()
	n2.Wipe()
	n2.Start()
	c.AwaitPromise()
	n3.Kill() // what was acknowledged is on the two new ones
	tale.MustHold()
}

// TestADuplicateName starts a process with the name of a node that is paused, and
// lets an operator try to remove that. Neither happens.
func TestADuplicateName(t *testing.T) {
	c := Start(t, "--silent-for", "5m") // however long the pause becomes
	tale := Tell(c, "duplicate")
	n1, n2, n3 := c.Nodes[0], c.Nodes[1], c.Nodes[2]
	n2.Pause()
	c.dismiss(n2)
	impostor := c.Impostor(n2, n1)
	impostor.MustBeRefused(4*time.Second, "node n2 was heard")
	c.MustNotRemove(n2, n3)
	n2.Resume()
	n2.MustBeMember(n1)
	c.MustNotRemove(n2, n1)
	impostor.Kill()
	n2.MustBeMember(n1)
	c.AwaitPromise()
	tale.MustHold()
}

// TestAJoinThatWasRefusedNeverHappens asks for a place in a cluster that has no
// majority, under the name of the node that led the meta shard, and gives up. When
// that node brings the majority back, it is still a member.
func TestAJoinThatWasRefusedNeverHappens(t *testing.T) {
	c := Start(t)
	tale := Tell(c, "refused")
	v, err := c.view(c.Nodes[0])
	c.must(err)
	leader := c.named(v.Shards[0].Leader)
	stays, away := c.others(leader)[0], c.others(leader)[1]
	away.Kill()
	leader.Kill()
	impostor := c.Impostor(leader, stays)
	impostor.MustBeRefused(lasting, ownDisk)
	impostor.Kill()
	leader.Start()
	leader.MustBeMember(stays)
	<-time.After(late)
	leader.MustBeMember(stays)
	away.Start()
	c.AwaitPromise()
	tale.MustHold()
}

// late is when nothing of a request is on its way any more.
const late = 2 * time.Second
