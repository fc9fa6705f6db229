package faultrun

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"ssod/cmd/internal/ssodtest"
)

// Node is a node of a [Cluster].
type Node struct {
	*ssodtest.Node
	// Name is the node's name in the cluster.
	Name string

	cluster *Cluster
	dialed  string       // where others join
	gate    *gate        // before its disk; nil: none
	id      atomic.Int64 // of the process
}

// readyWithin bounds a start.
const readyWithin = ssodtest.ReadyWithin

// gossipPort is the port that the network knows the node by.
func (n *Node) gossipPort() string {
	_, port, _ := net.SplitHostPort(n.dialed)
	return port
}

// Launch starts a process and does not wait until it is ready.
func (n *Node) Launch() {
	n.cluster.Helper()
	n.Program = n.cluster.program
	n.Node.Launch()
	n.id.Store(int64(n.Process.ID()))
}

// Start starts a process, waits until it is ready and lets clients use it.
func (n *Node) Start() {
	n.cluster.Helper()
	n.Launch()
	n.AwaitReady()
}

// AwaitReady waits until the node says that it may receive requests, and lets
// clients use it.
func (n *Node) AwaitReady() {
	n.cluster.Helper()
	n.Node.AwaitReady()
	n.cluster.enlist(n)
}

// Kill ends the process as a power cut would; clients look elsewhere from then
// on.
func (n *Node) Kill() {
	n.cluster.Helper()
	if n.Process != nil {
		n.Node.Kill()
		n.cluster.dismiss(n)
	}
}

// Pause stops the process without ending it: SIGSTOP. Clients still use it
// until it is dismissed.
func (n *Node) Pause() { n.Signal(syscall.SIGSTOP) }

// Resume lets a process go on that was paused: SIGCONT.
func (n *Node) Resume() { n.Signal(syscall.SIGCONT) }

// Terminate asks the process to stop in good order and does not wait.
func (n *Node) Terminate() { n.Signal(syscall.SIGTERM) }

// AwaitEnd waits until the process that was told to stop has ended well.
func (n *Node) AwaitEnd(within time.Duration) {
	n.cluster.Helper()
	if status := n.Node.AwaitEnd(within); status != 0 {
		n.cluster.Errorf("%s stopped with status %d:\n%s", n.Name, status, ssodtest.Tail(n.Logged()))
	}
}

// join makes the node join the cluster of another one if its disk is empty.
func (n *Node) join(other *Node) {
	at := slices.Index(n.Flags, "--join")
	if at < 0 {
		n.Flags = append(n.Flags, "--join", "")
		at = len(n.Flags) - 2
	}
	n.Flags[at+1] = other.dialed
}

// Wipe empties the node's disk. The node must not run. It joins the others when
// it starts again.
func (n *Node) Wipe() {
	n.cluster.Helper()
	n.cluster.must(os.RemoveAll(n.Data()))
	n.join(n.cluster.others(n)[0])
}

// SetAside empties the node's disk as [Node.Wipe] does and keeps what was there,
// as a volume that is not mounted does.
func (n *Node) SetAside() {
	n.cluster.Helper()
	n.cluster.must(os.Rename(n.Data(), n.Data()+asideSuffix))
	n.join(n.cluster.others(n)[0])
}

// PutBack gives the node back what [Node.SetAside] kept, in the place of what it
// has written since. The node must not run.
func (n *Node) PutBack() {
	n.cluster.Helper()
	n.cluster.must(os.RemoveAll(n.Data()))
	n.cluster.must(os.Rename(n.Data()+asideSuffix, n.Data()))
}

const asideSuffix = ".aside"

// expelled reports whether the node has put its data aside because the others
// removed it, or is about to.
func (n *Node) expelled() bool {
	n.cluster.Helper()
	aside, err := filepath.Glob(n.Data() + ".removed-*")
	n.cluster.must(err)
	return len(aside) > 0 || strings.Contains(n.Said(), "this node was removed from its cluster")
}

// String is the node's name.
func (n *Node) String() string { return n.Name }
