package faultrun

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ssod/cmd/internal/ssodtest"
)

// keep copies the node's directory and returns where to.
func (n *Node) keep(name string) string {
	n.cluster.Helper()
	kept := filepath.Join(n.Dir, name)
	n.cluster.must(os.CopyFS(kept, os.DirFS(n.Data())))
	return kept
}

// restore puts a copy, which is kept, in the place of the node's directory.
func (n *Node) restore(kept string) {
	n.cluster.Helper()
	n.cluster.must(os.RemoveAll(n.Data()))
	n.cluster.must(os.CopyFS(n.Data(), os.DirFS(kept)))
	n.cluster.must(os.Chmod(filepath.Join(n.Data(), "sealing.key"), 0o600)) // a copy is everybody's to read
}

// twin is a second node on a copy of this one's directory, at other addresses.
func (n *Node) twin(name, kept string) *Node {
	c := n.cluster
	c.Helper()
	at, _, err := c.place()
	c.must(err)
	dir := filepath.Join(c.dir, name)
	c.must(os.Mkdir(dir, 0o700))
	t := &Node{Node: ssodtest.New(c, dir, c.config(), n.Flags...), Name: n.Name, cluster: c, dialed: at[2]}
	t.Addresses, t.HTTP, t.Admin, t.Secret = at, at[0], at[1], c.secret
	c.must(os.Rename(kept, t.Data()))
	c.must(os.Chmod(filepath.Join(t.Data(), "sealing.key"), 0o600))
	return t
}

// awaitFailure waits until a process has ended with status 1 and one line at
// ERROR, which says all of want, and no stack.
func (n *Node) awaitFailure(want ...string) {
	c := n.cluster
	c.Helper()
	status := n.Node.AwaitEnd(time.Minute)
	c.dismiss(n)
	var errors []string
	for line := range strings.Lines(n.Logged()) {
		if strings.Contains(line, `"level":"ERROR"`) {
			errors = append(errors, line)
		}
	}
	c.must(os.Truncate(n.LogFile(), 0))
	if status != 1 || len(errors) != 1 || strings.Contains(n.Logged(), "goroutine ") {
		c.Fatalf("%s: status %d, lines at ERROR: %q", n.Name, status, errors)
	}
	for _, text := range want {
		if !strings.Contains(errors[0], text) {
			c.Errorf("%s: %q is not in %s", n.Name, text, errors[0])
		}
	}
}

// TestADirectoryThatWentBackEndsTheNode puts copies from earlier in the place of
// a node's directory. What the node has acknowledged since it does not have any
// more, and it must not vote as if it had.
func TestADirectoryThatWentBackEndsTheNode(t *testing.T) {
	c := Start(t)
	n := c.Nodes[2]
	n.Kill()
	old := n.keep("old")
	n.Start()
	c.AwaitPromise()
	for _, other := range c.Nodes { // also when nobody has it in memory
		other.Kill()
	}
	now := n.keep("now")
	n.restore(old)
	for range 3 { // as often as a supervisor likes
		n.Launch()
		for _, other := range c.others(n) {
			if other.Process == nil {
				other.Launch()
			}
		}
		n.awaitFailure("older than what this node acknowledged", n.Data(), "--join")
	}
	for _, other := range c.others(n) {
		other.AwaitReady()
	}
	n.restore(now) // it was not spoiled for the right one
	n.Start()
	c.AwaitPromise()

	n.Pause() // a snapshot of a machine that runs
	snapshot := n.keep("snapshot")
	n.Resume()
	other := c.Nodes[0]
	other.Kill()
	other.Start() // it has to be voted about, and hears how far the node is
	c.AwaitPromise()
	n.Kill()
	n.restore(snapshot)
	n.Launch()
	n.awaitFailure("older than what this node acknowledged", "--join")
}

// TestANodeThatRunsTwiceVotesOnce starts a copy of a node's directory beside it.
// The one that was there first goes on, unless it is paused: then it ends when it
// wakes.
func TestANodeThatRunsTwiceVotesOnce(t *testing.T) {
	c := Start(t)
	n := c.Nodes[2]
	n.Kill()
	kept := n.keep("copy")
	n.Start()
	c.AwaitPromise()
	second := n.twin("second", kept)
	second.Launch()
	second.awaitFailure("is running already", n.raft(), "--data")
	c.until("the first one hears of the other", time.Minute, func() bool {
		status, text := n.Page("/readyz")
		return status == http.StatusOK && strings.Contains(text, "runs twice")
	})
	if !strings.Contains(n.Logged(), second.raft()) {
		t.Errorf("the log of the first one does not name %s", second.raft())
	}
	c.must(os.Truncate(n.LogFile(), 0))

	n.Pause()
	c.dismiss(n)
	third := n.twin("third", n.keep("copy"))
	third.Start()
	n.Resume()
	n.awaitFailure("is running already", third.raft())
	c.Nodes[2] = third
	c.AwaitPromise()
}

// raft is where the node takes what others replicate.
func (n *Node) raft() string { return n.Addresses[4] }
