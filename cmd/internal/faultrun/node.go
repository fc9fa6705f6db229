package faultrun

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"ssod/bench/process"
)

// Node is one ssod on a directory and addresses of its own, which outlive its
// processes.
type Node struct {
	// Name is the node's name in the cluster.
	Name string
	// HTTP and Admin are where its listeners are.
	HTTP, Admin string

	cluster *Cluster
	dir     string
	gossip  string   // where others join
	prefix  []string // of the command
	args    []string
	process *process.Process
	written int   // of the log, when the process started
	gate    *gate // before its disk; nil: none

	// What the network knows the node by.
	gossipPort string
	id         atomic.Int64 // of the process
}

// readyWithin bounds a start.
const readyWithin = 2 * time.Minute

func (n *Node) data() string    { return filepath.Join(n.dir, "data") }
func (n *Node) logFile() string { return filepath.Join(n.dir, "ssod.log") }

// Log is what all processes of the node have written.
func (n *Node) Log() string {
	raw, err := os.ReadFile(n.logFile())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		n.cluster.Error(err)
	}
	return string(raw)
}

// Said is what the node's process has written so far.
func (n *Node) Said() string { return n.Log()[n.written:] }

// Launch starts a process and does not wait until it is ready.
func (n *Node) Launch() {
	n.cluster.Helper()
	n.written = len(n.Log())
	out, err := os.OpenFile(n.logFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	n.cluster.must(err)
	defer out.Close() // the process has its own copy
	command := slices.Concat(n.prefix, []string{n.cluster.program}, n.args)
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.Env = out, out, n.environment()
	n.cluster.must(n.run(cmd))
	n.id.Store(int64(n.process.ID()))
}

// run starts a command as the node's process, behind its gate if there is one.
func (n *Node) run(cmd *exec.Cmd) error {
	start := func(cmd *exec.Cmd) (err error) {
		n.process, err = process.Run(cmd)
		return err
	}
	if n.gate == nil {
		return start(cmd)
	}
	return n.gate.run(cmd, start)
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
	n.cluster.until(n.Name+" is ready", readyWithin, func() bool {
		if n.ended() {
			n.cluster.Fatalf("%s ended before it was ready:\n%s", n.Name, tail(n.Log()))
		}
		return n.ready()
	})
	n.cluster.enlist(n)
}

func (n *Node) ended() bool {
	select {
	case <-n.process.Exited():
		return true
	default:
		return false
	}
}

func (n *Node) ready() bool { return n.unready() == "" }

// unready says why the node may not receive requests; empty: it may.
func (n *Node) unready() string {
	a, err := n.page("/readyz")
	switch {
	case err != nil:
		return err.Error()
	case a.status == http.StatusOK:
		return ""
	}
	for line := range strings.Lines(string(a.body)) {
		if strings.Contains(line, `"ok":false`) && !strings.Contains(line, `"advice":true`) {
			return strings.TrimSpace(line)
		}
	}
	return http.StatusText(a.status)
}

// condition is what the node says of one thing that its readiness depends on.
func (n *Node) condition(name string) (ok bool, detail string) {
	n.cluster.Helper()
	a, err := n.page("/readyz")
	if err != nil || a.status != http.StatusOK && a.status != http.StatusServiceUnavailable {
		return false, ""
	}
	var page struct {
		Conditions []struct {
			Condition, Detail string
			OK                bool
		}
	}
	n.cluster.must(json.Unmarshal(a.body, &page))
	for _, c := range page.Conditions {
		if c.Condition == name {
			return c.OK, c.Detail
		}
	}
	return false, ""
}

// Kill ends the process as a power cut would; clients look elsewhere from then
// on.
func (n *Node) Kill() {
	n.cluster.Helper()
	if n.process == nil {
		return
	}
	if err := n.process.Kill(); err != nil {
		n.cluster.Error(err)
	}
	n.process = nil
	n.cluster.dismiss(n)
}

// Pause stops the process without ending it: SIGSTOP. Clients still use it
// until [Cluster.Dismiss].
func (n *Node) Pause() { n.signal(syscall.SIGSTOP) }

// Resume lets a process go on that was paused: SIGCONT.
func (n *Node) Resume() { n.signal(syscall.SIGCONT) }

// Terminate asks the process to stop in good order and does not wait.
func (n *Node) Terminate() { n.signal(syscall.SIGTERM) }

func (n *Node) signal(s syscall.Signal) {
	n.cluster.Helper()
	n.cluster.must(syscall.Kill(n.process.ID(), s))
}

// AwaitEnd waits until the process that was told to stop has ended well.
func (n *Node) AwaitEnd(within time.Duration) {
	n.cluster.Helper()
	select {
	case <-n.process.Exited():
	case <-time.After(within):
		n.cluster.Fatalf("%s has not stopped in %v:\n%s", n.Name, within, tail(n.Log()))
	}
	if status := n.process.ExitCode(); status != 0 {
		n.cluster.Errorf("%s stopped with status %d:\n%s", n.Name, status, tail(n.Log()))
	}
	n.process = nil
}

// join makes the node join the cluster of another one if its disk is empty.
func (n *Node) join(other *Node) {
	at := slices.Index(n.args, "--join")
	if at < 0 {
		n.args = append(n.args, "--join", "")
		at = len(n.args) - 2
	}
	n.args[at+1] = other.gossip
}

// Wipe empties the node's disk. The node must not run. It joins the others when
// it starts again.
func (n *Node) Wipe() {
	n.cluster.Helper()
	n.cluster.must(os.RemoveAll(n.data()))
	n.join(n.cluster.others(n)[0])
}

// SetAside empties the node's disk as [Node.Wipe] does and keeps what was there,
// as a volume that is not mounted does.
func (n *Node) SetAside() {
	n.cluster.Helper()
	n.cluster.must(os.Rename(n.data(), n.data()+asideSuffix))
	n.join(n.cluster.others(n)[0])
}

// PutBack gives the node back what [Node.SetAside] kept, in the place of what it
// has written since. The node must not run.
func (n *Node) PutBack() {
	n.cluster.Helper()
	n.cluster.must(os.RemoveAll(n.data()))
	n.cluster.must(os.Rename(n.data()+asideSuffix, n.data()))
}

const asideSuffix = ".aside"

// expelled reports whether the node has put its data aside because the others
// removed it, or is about to.
func (n *Node) expelled() bool {
	n.cluster.Helper()
	aside, err := filepath.Glob(n.data() + ".removed-*")
	n.cluster.must(err)
	return len(aside) > 0 || strings.Contains(n.Said(), "this node was removed from its cluster")
}

// String is the node's name.
func (n *Node) String() string { return n.Name }

// tail is the end of a log without the audit, for messages.
func tail(s string) string {
	var lines []string
	for line := range strings.Lines(s) {
		if !strings.Contains(line, `"audit":true`) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-30):], "")
}
