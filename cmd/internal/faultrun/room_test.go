package faultrun

import (
	"os"
	"strings"
	"testing"
	"time"

	"ssod/cmd/internal/ssodtest"
)

const (
	// smallVolume is a disk of which a start leaves some 100 MiB above the reserve.
	smallVolume = "size=640m"
	// spaceWithin is how soon a node must go on that has room again.
	spaceWithin = 5 * time.Second
)

// TestSnapshotsWaitForRoom lets a fourth node join, and fills its disk, which
// snapshots are to be installed on, and that of a node which they come from. Calls are
// answered by those that have room, no file stays, and when there is room again the
// fourth node gets what it lacks.
func TestSnapshotsWaitForRoom(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root mounts a small disk for a process")
	}
	c := start(t, 3, &Cluster{volume: smallVolume})
	r := Begin(c, "room", rate())
	sender, receiver := c.leaderOfTables(), c.Add()
	receiver.Launch()
	c.until("the store of the fourth node is open", readyWithin, func() bool {
		_, err := os.Stat(receiver.file("identity.json"))
		return err == nil
	})
	full := []*Node{sender, receiver}
	for _, n := range full {
		n.fill()
	}
	for _, n := range full {
		c.until(n.Name+" says that its disk is full", readyWithin, func() bool { return strings.Contains(n.Said(), "free disk space is below the reserve") })
	}
	c.until("the full node leads nothing", readyWithin, func() bool { return len(c.ledBy(sender)) == 0 && c.leaderOfTables() != sender })
	for _, n := range full {
		c.until(n.Name+" keeps no snapshot", readyWithin, func() bool { return n.snapshots() == 0 })
		if n.Ended() {
			t.Fatalf("%s ended:\n%s", n, ssodtest.Tail(n.Logged()))
		}
	}
	for _, n := range full {
		n.empty()
	}
	at := time.Now()
	for _, n := range full {
		c.until(n.Name+" has room", readyWithin, func() bool { return strings.Contains(n.Said(), "free disk space is above the reserve") })
	}
	took := time.Since(at)
	receiver.AwaitReady()
	c.AwaitBalance()
	r.Finish(t)
	t.Logf("they went on after %v, and the shards were spread after %v", took.Round(time.Millisecond), time.Since(at).Round(time.Millisecond))
	for _, n := range c.Nodes {
		c.until(n.Name+" keeps no snapshot", readyWithin, func() bool { return n.snapshots() == 0 })
	}
	if long() && took > spaceWithin {
		t.Errorf("want at most %v", spaceWithin)
	}
}
