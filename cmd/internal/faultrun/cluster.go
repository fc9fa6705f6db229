package faultrun

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ssod/bench/process"
	"ssod/cluster/transport/transporttest"
	"ssod/cmd/internal/ssodtest"
)

// Shards is how many shards the clusters have: few, so that each of them is
// seen to fail over.
const Shards = 16

// config has two realms, budgets that no test exhausts, and link codes that
// cannot stand in a log by chance.
const config = `
throttle: {enabled: false}
realms:
  - id: one
    serviceProviders: [one]
    linkCode: {length: 10, alphabet: alphanumeric}
    guessing: {perDevice: 1000000000, perAddress: 1000000000, wrongHitsPerDay: 100000}
  - id: two
    serviceProviders: [two]
    linkCode: {length: 10, alphabet: alphanumeric}
    guessing: {perDevice: 1000000000, perAddress: 1000000000, wrongHitsPerDay: 100000}
`

// briefTTL is how long link codes of the realm brief live.
const briefTTL = 2 * time.Second

// config is the configuration of the cluster's nodes. Where clocks are set there
// is one more realm, in which it can be seen that time goes on.
func (c *Cluster) config() string {
	if !c.clocks {
		return config
	}
	return config + fmt.Sprintf(`
  - id: brief
    serviceProviders: [brief]
    linkCode: {length: 10, alphabet: alphanumeric, ttl: %v}
    guessing: {perDevice: 1000000000, perAddress: 1000000000, wrongHitsPerDay: 100000}
`, briefTTL)
}

// Cluster is three processes that serve together. Clients send each request to
// one of the nodes that they take for ready.
type Cluster struct {
	testing.TB
	// Nodes are n1, n2 and n3, of which the first founded the cluster, or those
	// that took their places.
	Nodes []*Node

	program   ssodtest.Program
	dir       string
	authority *transporttest.Authority
	secret    string      // file
	network   *Network    // nil: nodes reach each other directly
	spaces    *namespaces // nil: nodes are where the test is
	gated     bool        // there is a gate before each disk
	clocks    bool        // each node has a clock that can be set
	volume    string      // options of a tmpfs for each node's data; empty: none
	zones     []string    // of the nodes, by their order; nil: they have none
	attached  atomic.Int64
	flags     []string
	api       *api
	mu        sync.Mutex // guards changes of serving
	serving   atomic.Pointer[[]*Node]
}

// Start starts a node and lets two join it, over mutual TLS, and returns when
// every change is acknowledged by two nodes. The processes end with the test.
func Start(t testing.TB, flags ...string) *Cluster {
	t.Helper()
	return start(t, 3, &Cluster{flags: flags})
}

// StartApart is Start with a network between the nodes that can be cut.
func StartApart(t testing.TB, flags ...string) (*Cluster, *Network) {
	t.Helper()
	n := newNetwork()
	t.Cleanup(n.Close)
	return start(t, 3, &Cluster{flags: flags, network: n}), n
}

// StartOne starts a node that others can join.
func StartOne(t testing.TB, flags ...string) *Cluster {
	t.Helper()
	return start(t, 1, &Cluster{flags: flags})
}

// start starts a cluster that is made as its fields say. Of three nodes any may die
// when it returns.
func start(t testing.TB, nodes int, c *Cluster) *Cluster {
	t.Helper()
	prepare(t, c)
	for range nodes {
		c.Add().Start()
	}
	if nodes > 1 {
		c.AwaitPromise()
	}
	return c
}

// prepare makes everything that a cluster needs before its first node.
func prepare(t testing.TB, c *Cluster) *Cluster {
	t.Helper()
	c.TB, c.dir, c.api = t, t.TempDir(), newAPI()
	c.serving.Store(&[]*Node{})
	c.program = ssodtest.SSOD
	if c.clocks {
		c.program = ssodtest.Settable
	}
	var err error
	c.authority, err = transporttest.NewAuthority(c.dir)
	c.must(err)
	c.secret = ssodtest.NewSecret(t, c.dir)
	t.Cleanup(c.end)
	return c
}

// Add makes the next node. All but the first join the first.
func (c *Cluster) Add() *Node {
	c.Helper()
	name := fmt.Sprint("n", len(c.Nodes)+1)
	n := c.newNode(name, name)
	c.Nodes = append(c.Nodes, n)
	return n
}

// Impostor makes a node that has an empty directory and the name of another one,
// and joins where it is told. It is none of the cluster's nodes.
func (c *Cluster) Impostor(of, at *Node) *Node {
	c.Helper()
	n := c.newNode(of.Name, of.Name+"-impostor")
	n.join(at)
	return n
}

// newNode makes a node on a new directory. All but the first join the first.
func (c *Cluster) newNode(name, directory string) *Node {
	c.Helper()
	at, prefix, err := c.place()
	c.must(err)
	files, err := c.authority.Issue(name)
	c.must(err)
	dir := filepath.Join(c.dir, directory)
	c.must(os.Mkdir(dir, 0o700))
	n := &Node{Node: ssodtest.New(c, dir, c.config()), Name: name, cluster: c, dialed: at[2]}
	n.Addresses, n.HTTP, n.Admin, n.Prefix, n.Secret, n.Mount = at, at[0], at[1], prefix, c.secret, c.volume
	if c.gated {
		n.gate = newGate()
		n.Run = n.gate.run
	}
	if c.clocks {
		n.Env = []string{"SHIFTED_CLOCK_FILE=" + n.clockFile()}
	}
	n.Flags = append([]string{
		"--node", name, "--shards", fmt.Sprint(Shards), "--tls-cert", files.Cert, "--tls-key", files.Key, "--tls-ca", files.CA,
	}, c.flags...)
	if len(c.zones) > len(c.Nodes) {
		n.Flags = append(n.Flags, "--zone", c.zones[len(c.Nodes)])
	}
	if c.network != nil {
		c.attach(n, at[2:])
	}
	if len(c.Nodes) > 0 {
		n.join(c.Nodes[0])
	}
	return n
}

// place returns the addresses of a new node, for HTTP, admin, gossip, actors and
// replication, and what stands before its command.
func (c *Cluster) place() (addresses, prefix []string, err error) {
	if c.spaces != nil {
		return c.spaces.add()
	}
	addresses, err = process.FreeAddresses(5)
	return addresses, nil, err
}

// attach puts the network between a node and the others.
func (c *Cluster) attach(n *Node, listeners []string) {
	c.Helper()
	host := fmt.Sprintf("127.0.1.%d", c.attached.Add(1))
	c.must(c.network.attach(n, host, listeners))
	n.dialed = net.JoinHostPort(host, n.gossipPort())
	n.Flags = append(n.Flags, "--advertise", host)
}

// Replace makes a new node, which joins, in the place of one that was removed.
func (c *Cluster) Replace(old *Node, name string) *Node {
	c.Helper()
	n := c.newNode(name, name)
	n.join(c.others(old)[0])
	c.Nodes[slices.Index(c.Nodes, old)] = n
	return n
}

func (c *Cluster) end() {
	for _, n := range c.Nodes {
		n.Kill()
		if n.gate != nil {
			n.gate.held.Wait()
		}
	}
	c.api.close()
}

// enlist lets clients use a node.
func (c *Cluster) enlist(n *Node) {
	c.change(func(all []*Node) []*Node { return append(all, n) }, n)
}

// dismiss makes clients look elsewhere, as a load balancer does with a node
// that is not ready.
func (c *Cluster) dismiss(n *Node) {
	c.change(func(all []*Node) []*Node { return all }, n)
	c.api.forget(n.HTTP)
}

// change makes a new list of the nodes that clients use from the one without n.
func (c *Cluster) change(f func([]*Node) []*Node, n *Node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	others := slices.DeleteFunc(slices.Clone(*c.serving.Load()), func(o *Node) bool { return o == n })
	others = f(others)
	c.serving.Store(&others)
}

// any is one of the nodes that clients use; nil when there is none.
func (c *Cluster) any() *Node {
	all := *c.serving.Load()
	if len(all) == 0 {
		return nil
	}
	return all[rand.IntN(len(all))]
}

// others are the nodes beside n.
func (c *Cluster) others(n *Node) []*Node {
	return slices.DeleteFunc(slices.Clone(c.Nodes), func(o *Node) bool { return o == n })
}

// named is the node that has a name.
func (c *Cluster) named(name string) *Node {
	c.Helper()
	i := slices.IndexFunc(c.Nodes, func(n *Node) bool { return n.Name == name })
	if i < 0 {
		c.Fatalf("there is no node %q", name)
	}
	return c.Nodes[i]
}

// AwaitPromise waits until each shard has three voters, so that any node may
// die, and clients may use all of them.
func (c *Cluster) AwaitPromise() {
	c.Helper()
	c.until("every change is on two nodes, and three can have it", readyWithin, func() bool {
		for _, n := range c.Nodes {
			v, err := c.view(n)
			if err != nil || !v.complete() || !n.Ready() {
				return false
			}
		}
		return true
	})
}

// AwaitBalance waits until the shards are where they are to be, spread
// evenly, all nodes know, and clients may use them.
func (c *Cluster) AwaitBalance() {
	c.Helper()
	c.until("the shards are spread over all nodes", readyWithin, func() bool {
		views := map[string]view{}
		for _, n := range c.Nodes {
			v, err := c.view(n)
			if err != nil || len(v.Shards) <= Shards || !n.Ready() {
				return false
			}
			views[n.Name] = v
		}
		return balanced(views)
	})
}

// view is what a node says of the cluster.
type view struct {
	Nodes      []struct{ Name, State string }
	Shards     []shardView
	SpareZones int
	// UnplacedShards have more or fewer copies than they should.
	UnplacedShards int
}

type shardView struct {
	Shard    int
	Leader   string
	Term     uint64
	Replicas []string
	Learners []string
	// Confirmed: those that vote do not need those that voted before.
	Confirmed bool
}

func (c *Cluster) view(n *Node) (v view, err error) {
	return v, n.order(http.MethodGet, "/admin/v1/cluster", nil, &v)
}

// moved reports whether a node votes in a shard, nobody who was removed does, and
// enough others know.
func (v *view) moved(n *Node, shard int) bool {
	replicas := v.Shards[shard].Replicas
	return v.Shards[shard].Confirmed && slices.Contains(replicas, n.Name) && !strings.Contains(strings.Join(replicas, " "), "(")
}

// behind is how many data shards still wait for a node's vote when the meta shard
// does not; 0 when it does too.
func (v *view) behind(n *Node) (shards int) {
	for s := range v.Shards {
		if s == 0 && !v.moved(n, s) {
			return 0
		}
		if !v.moved(n, s) {
			shards++
		}
	}
	return shards
}

// complete reports whether every shard has a leader and three voters that do not
// need those before, and nobody listens but nodes that have left: they hear what
// becomes of the cluster.
func (v *view) complete() bool {
	for _, s := range v.Shards {
		s.Learners = slices.DeleteFunc(slices.Clone(s.Learners), func(name string) bool { return s.Shard == 0 && v.stateOf(name) == "left" })
		if s.Leader == "" || !s.Confirmed || len(s.Replicas) != 3 || len(s.Learners) > 0 || strings.Contains(strings.Join(s.Replicas, " "), "(") {
			return false
		}
	}
	return len(v.Shards) > Shards
}

// balanced reports whether every shard has its voters and a leader, as that says and
// all others know, and these are spread evenly over the nodes whose views there are.
func balanced(views map[string]view) bool {
	holds, leads := map[string]int{}, map[string]int{}
	for s := range Shards + 1 {
		leader := ""
		for _, v := range views {
			leader = v.Shards[s].Leader
			break
		}
		of, ok := views[leader]
		if !ok || !of.Shards[s].placed(len(views)) {
			return false
		}
		for _, v := range views {
			if v.Shards[s].Leader != leader {
				return false
			}
		}
		leads[leader]++
		for _, name := range of.Shards[s].Replicas {
			if s > 0 {
				holds[name]++
			}
		}
	}
	return even(views, holds, 1) && even(views, leads, 2)
}

// placed reports whether the shard has all its voters, who do not need those before.
// Nodes that do not vote in the meta shard listen.
func (s *shardView) placed(nodes int) bool {
	if !s.Confirmed || strings.Contains(strings.Join(s.Replicas, " "), "(") {
		return false
	}
	if s.Shard == 0 {
		return len(s.Replicas)+len(s.Learners) == nodes
	}
	return len(s.Replicas) == 3 && len(s.Learners) == 0
}

// even reports whether no node has more than another by over a number.
func even(nodes map[string]view, has map[string]int, by int) bool {
	least, most := math.MaxInt, 0
	for name := range nodes {
		least, most = min(least, has[name]), max(most, has[name])
	}
	return most-least <= by
}

// state is that of a node, as the one says that was asked.
func (v *view) state(n *Node) string { return v.stateOf(n.Name) }

func (v *view) stateOf(name string) string {
	for _, n := range v.Nodes {
		if n.Name == name {
			return n.State
		}
	}
	return ""
}

// ledBy are the data shards that a node leads, as another one says.
func (c *Cluster) ledBy(n *Node) (shards []int) {
	c.Helper()
	v, err := c.view(c.others(n)[0])
	c.must(err)
	for _, s := range v.Shards {
		if s.Shard > 0 && s.Leader == n.Name {
			shards = append(shards, s.Shard)
		}
	}
	return shards
}

// until polls a condition and fails the test when it does not come true.
func (c *Cluster) until(what string, within time.Duration, condition func() bool) {
	c.Helper()
	ssodtest.Until(c, what, within, condition)
}

func (c *Cluster) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}
