package ssodtest

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ssod/bench/process"
)

// Node is one ssod on a directory of its own, which outlives its processes.
type Node struct {
	testing.TB
	Dir     string
	Program Program
	Flags   []string // of each process
	Env     []string // beside that of the test
	Prefix  []string // commands before the program's
	Mount   string   // options of a tmpfs for the data; empty: none
	Secret  string   // file of the cluster's secret; empty: the node is alone
	// Addresses are for HTTP, admin, gossip, actors and replication; nil: each process
	// has new ones.
	Addresses           []string
	HTTP, Admin, Gossip string // of the last process
	// Run starts a command; nil: [process.Run].
	Run     func(*exec.Cmd) (*process.Process, error)
	Process *process.Process // nil: none runs

	written int // of the log, when the process started
}

// SilentFor is for how long nobody may have heard a node before it is replaced: a
// tenth of what it is by default.
const SilentFor = 3 * time.Second

// New makes a node on a directory, with a configuration, and starts nothing yet. At
// the end of the test it is killed, and says what it logged if that failed.
func New(t testing.TB, dir, config string, flags ...string) *Node {
	t.Helper()
	n := &Node{TB: t, Dir: dir, Program: SSOD, Flags: flags}
	must(t, os.WriteFile(n.ConfigFile(), []byte(config), 0o600))
	t.Cleanup(func() {
		n.Kill()
		if t.Failed() {
			t.Logf("log of %s:\n%s", filepath.Base(dir), Tail(n.Logged()))
		}
	})
	return n
}

// NewSecret makes the secret of a cluster in a directory.
func NewSecret(t testing.TB, dir string) (file string) {
	t.Helper()
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	file = filepath.Join(dir, "secret")
	must(t, os.WriteFile(file, base64.StdEncoding.AppendEncode(nil, key), 0o600))
	return file
}

// ConfigFile, Data and LogFile are where the node has its files.
func (n *Node) ConfigFile() string { return filepath.Join(n.Dir, "ssod.yaml") }
func (n *Node) Data() string       { return filepath.Join(n.Dir, "data") }
func (n *Node) LogFile() string    { return filepath.Join(n.Dir, "ssod.log") }

// Logged is what all processes of the node have logged.
func (n *Node) Logged() string {
	raw, err := os.ReadFile(n.LogFile())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		n.Error(err)
	}
	return string(raw)
}

// Said is what the last process has logged so far.
func (n *Node) Said() string { return n.Logged()[n.written:] }

// Tail is the end of a log without the audit, for messages.
func Tail(log string) string {
	var lines []string
	for line := range strings.Lines(log) {
		if !strings.Contains(line, `"audit":true`) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-30):], "")
}

// Launch starts a process and does not wait for it.
func (n *Node) Launch(more ...string) {
	n.Helper()
	n.written = len(n.Logged())
	out, err := os.OpenFile(n.LogFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	must(n, err)
	defer out.Close() // the process has its own copy
	cmd := n.Command(more...)
	cmd.Stdout, cmd.Stderr = out, out
	run := n.Run
	if run == nil {
		run = process.Run
	}
	n.Process, err = run(cmd)
	must(n, err)
}

// Command is what starts a process of the node, on new addresses unless it keeps them.
func (n *Node) Command(more ...string) *exec.Cmd {
	n.Helper()
	at := n.Addresses
	if at == nil {
		var err error
		at, err = process.FreeAddresses(5)
		must(n, err)
	}
	n.HTTP, n.Admin, n.Gossip = at[0], at[1], at[2]
	args := []string{
		"--config", n.ConfigFile(), "--data", n.Data(), "--http", at[0], "--admin", at[1],
		"--log-format", "json", "--silent-for", SilentFor.String(),
	}
	if n.Secret != "" {
		args = append(args, "--cluster-secret", n.Secret, "--gossip", at[2], "--rpc", at[3], "--raft", at[4])
	}
	binary, err := n.Program()
	must(n, err)
	command := append(append([]string{binary}, append(args, n.Flags...)...), more...)
	if n.Mount != "" {
		command = append([]string{"sh", "-c", mount, n.Mount, n.Data()}, command...)
	}
	command = append(slices.Clone(n.Prefix), command...)
	cmd := exec.Command(command[0], command[1:]...)
	if n.Mount != "" {
		cmd.SysProcAttr = ownMounts()
	}
	cmd.Env = append(cmd.Environ(), n.Env...)
	return cmd
}

// mount runs a command that sees a tmpfs at a directory.
const mount = `mkdir -p "$1" && mount -t tmpfs -o "$0" tmpfs "$1" && shift && exec "$@"`

// ownMounts has a process mount what nobody else sees and what ends with it; without
// root it becomes root of a user namespace to be allowed to.
func ownMounts() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	return attr
}

// SeenBy is the path of a file as the node's process sees it.
func (n *Node) SeenBy(file string) string {
	return filepath.Join("/proc", strconv.Itoa(n.Process.ID()), "root", file)
}

// Start starts a process and returns once it is ready.
func (n *Node) Start(more ...string) {
	n.Helper()
	n.Launch(more...)
	n.AwaitReady()
}

// Ended reports whether the process is over.
func (n *Node) Ended() bool {
	select {
	case <-n.Process.Exited():
		return true
	default:
		return false
	}
}

// Kill ends the process as a power cut would.
func (n *Node) Kill() {
	n.Helper()
	if n.Process == nil {
		return
	}
	if err := n.Process.Kill(); err != nil {
		n.Error(err)
	}
	n.Process = nil
}

// Signal sends a signal to the process.
func (n *Node) Signal(s syscall.Signal) {
	n.Helper()
	must(n, syscall.Kill(n.Process.ID(), s))
}

// AwaitEnd waits until the process has ended, and returns its status.
func (n *Node) AwaitEnd(within time.Duration) (status int) {
	n.Helper()
	select {
	case <-n.Process.Exited():
	case <-time.After(within):
		n.Kill()
		n.Fatalf("the process is still running after %v:\n%s", within, Tail(n.Logged()))
	}
	status = n.Process.ExitCode()
	n.Process = nil
	return status
}

// Until polls a condition and fails the test when it does not come true.
func Until(t testing.TB, what string, within time.Duration, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for: %s", within, what)
		}
		<-tick.C
	}
}
