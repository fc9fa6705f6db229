package actors_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ssod/actors"
	"ssod/cluster"
	"ssod/cluster/faulty"
	"ssod/cluster/secret"
	"ssod/cluster/stream"
)

// A second node is a process of its own, this test binary run again with the
// variable roleOfNode set: it can be killed, and the transport library sets
// globals that two nodes in one process would race for.
const (
	roleOfNode    = "SSOD_ACTORS_NODE"
	addressOfNode = "SSOD_ACTORS_ADDRESS" // empty: any
	certsOfNode   = "SSOD_ACTORS_CERTS"   // a directory; empty: no TLS
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleOfNode); role != "" {
		runNode(role)
		return
	}
	goleak.VerifyTestMain(m)
}

// view is a node's view of a cluster whose owner the test chooses.
type view struct {
	*faulty.Node // leads every shard, for when this node is the owner
	self         string
	owner        atomic.Pointer[cluster.Owner]
	mu           sync.Mutex
	changed      func(cluster.ShardID)
}

func newView(o faulty.Options) *view { return &view{Node: faulty.New(o).Node("")} }

// move makes another node the owner of all shards.
func (v *view) move(address string, term uint64) {
	v.owner.Store(&cluster.Owner{Address: address, Term: term})
	v.mu.Lock()
	defer v.mu.Unlock()
	for id := range cluster.ShardID(v.Count()) {
		v.changed(id + 1)
	}
}

func (v *view) Owner(cluster.ShardID) (cluster.Owner, bool) {
	o := v.owner.Load()
	if o == nil {
		return cluster.Owner{}, false
	}
	return *o, true
}

// Lead leads when asked to, so also when only the other node knows of it.
func (v *view) Lead(id cluster.ShardID) (cluster.Shard, bool) {
	if o := v.owner.Load(); o == nil || v.self == "" {
		return nil, false
	}
	s, ok := v.Node.Lead(id)
	return lateTerm{s}, ok
}

// lateTerm is a shard led in a term at least as late as anyone believes.
type lateTerm struct{ cluster.Shard }

func (lateTerm) Term() uint64 { return 1000 }

func (v *view) Watch(f func(cluster.ShardID)) (stop func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.changed = f
	return func() {}
}

// cluster1 is the cluster that the nodes of the tests are of.
const cluster1 = "c1"

// loopback is a transport without TLS.
func loopback() *actors.Remote {
	return &actors.Remote{Listen: "127.0.0.1:0", Papers: stream.Papers{Secrets: secrets(1), Cluster: cluster1}}
}

// secrets is a ring of one key.
func secrets(key byte) *secret.Ring {
	r, err := secret.NewRing(secret.Key{key})
	if err != nil {
		panic(err) // it is one key
	}
	return r
}

// runNode is the second node. Its role says who it believes is the owner:
// "self", "self slow" (and commits never end) or an address. It stops when its
// standard input ends.
func runNode(role string) {
	o := faulty.Options{Shards: 2}
	if os.Getenv(certsOfNode) != "" {
		o.Shards = 64
	}
	if role == "self slow" {
		o.Commits = faulty.Always(faulty.Hold)
	}
	v, transport := newView(o), loopback()
	if dir := os.Getenv(certsOfNode); dir != "" {
		transport = secured(dir, 2)
	}
	if address := os.Getenv(addressOfNode); address != "" {
		transport.Listen = address
	}
	r, err := actors.Start(actors.Config{
		Shards: v, Slots: faulty.Slots(v), Kinds: []actors.Kind{kindOf(&probe{})}, Remote: transport,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println("cannot start:", err)
		os.Exit(1)
	}
	if strings.HasPrefix(role, "self") {
		v.self = r.Address()
		v.move(v.self, 5)
	} else {
		v.move(role, 9)
	}
	fmt.Println(r.Address())
	_, _ = io.Copy(io.Discard, os.Stdin)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := r.Stop(ctx); err != nil {
		os.Exit(1)
	}
}

// node is a second node as its parent sees it.
type node struct {
	address string
	command *exec.Cmd
	input   io.Closer
}

func startNode(t testing.TB, role string) *node {
	t.Helper()
	return startNodeAt(t, "", role)
}

// startNodeAt starts a node where another one was.
func startNodeAt(t testing.TB, at, role string) *node {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), roleOfNode+"="+role, addressOfNode+"="+at)
	c.Stderr = os.Stderr
	input, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	address, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatalf("node %q: %v", role, err)
	}
	n := &node{address: strings.TrimSpace(address), command: c, input: input}
	t.Cleanup(n.kill)
	return n
}

func (n *node) kill() {
	_ = n.command.Process.Kill()
	_ = n.command.Wait()
}

// end lets the node stop by itself and returns how that went.
func (n *node) end() error {
	_ = n.input.Close()
	return n.command.Wait()
}
