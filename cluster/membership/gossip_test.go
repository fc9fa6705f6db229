package membership_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"ssod/cluster/membership"
	"ssod/cluster/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// key is a key that is easy to tell from others.
func key(b byte) secret.Key {
	var k secret.Key
	for i := range k {
		k[i] = b
	}
	return k
}

// node is a member on a free port of the loopback.
type node struct {
	*membership.Gossip
	t   *testing.T
	log *logLines
}

type option func(*membership.Config)

// start starts node name as its incarnation 1; it is quick to find others and
// to miss them.
func start(t *testing.T, name string, options ...option) *node {
	t.Helper()
	log := &logLines{}
	cfg := membership.Config{
		Name: name, Incarnation: 1, Listen: "127.0.0.1:0", Keys: []secret.Key{key(1)},
		Meta:  membership.Meta{Cluster: "c1", NodeID: uint32(name[1] - '0'), Raft: name + ":7948"},
		Probe: 100 * time.Millisecond, Retry: 50 * time.Millisecond, Log: slog.New(slog.NewTextHandler(log, nil)),
	}
	for _, o := range options {
		o(&cfg)
	}
	g, err := membership.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return &node{g, t, log}
}

func joining(others ...*node) option {
	return func(c *membership.Config) {
		for _, o := range others {
			c.Join = append(c.Join, o.Addr())
		}
	}
}

// trio are three nodes that found each other through the first.
func trio(t *testing.T, options ...option) (a, b, c *node) {
	t.Helper()
	a = start(t, "n1", options...)
	b = start(t, "n2", append(options, joining(a))...)
	c = start(t, "n3", append(options, joining(a))...)
	for _, n := range []*node{a, b, c} {
		n.sees("n1 alive", "n2 alive", "n3 alive")
	}
	return a, b, c
}

// sees waits until the node knows exactly these members.
func (n *node) sees(want ...string) {
	n.t.Helper()
	var got []string
	n.eventually(func() bool {
		got = nil
		for _, m := range n.Members() {
			got = append(got, fmt.Sprintf("%s %s", m.Name, m.State))
		}
		return slices.Equal(got, want)
	}, func() string { return cmp.Diff(want, got) })
}

// knows is a member as the node knows it, or nothing.
func (n *node) knows(name string) (known membership.Member) {
	for _, m := range n.Members() {
		if m.Name == name {
			known = m
		}
	}
	return known
}

// eventually polls until ok.
func (n *node) eventually(ok func() bool, what func() string) {
	n.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(2 * time.Minute)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			n.t.Fatalf("not in time: %s", what())
		}
	}
}

// logLines is a log that can be searched.
type logLines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logLines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logLines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Count(l.b.Bytes(), []byte(text))
}

func TestNodesFindEachOtherThroughOne(t *testing.T) {
	a, b, c := trio(t)
	want := []membership.Member{
		{Name: "n1", Incarnation: 1, Addr: a.Addr(), State: membership.Alive, Meta: membership.Meta{Cluster: "c1", NodeID: 1, Raft: "n1:7948"}},
		{Name: "n2", Incarnation: 1, Addr: b.Addr(), State: membership.Alive, Meta: membership.Meta{Cluster: "c1", NodeID: 2, Raft: "n2:7948"}},
		{Name: "n3", Incarnation: 1, Addr: c.Addr(), State: membership.Alive, Meta: membership.Meta{Cluster: "c1", NodeID: 3, Raft: "n3:7948"}},
	}
	for _, n := range []*node{a, b, c} {
		if diff := cmp.Diff(want, n.Members()); diff != "" {
			t.Error(diff)
		}
		if err := n.Trouble(); err != nil {
			t.Errorf("trouble: %v", err)
		}
	}
}

func TestANodeThatLeavesIsNotDead(t *testing.T) {
	a, b, c := trio(t)
	if err := c.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.Close()
	a.sees("n1 alive", "n2 alive", "n3 left")
	b.sees("n1 alive", "n2 alive", "n3 left")
	again := start(t, "n3", joining(a), func(c *membership.Config) { c.Incarnation = 2 })
	again.sees("n1 alive", "n2 alive", "n3 alive")
	a.sees("n1 alive", "n2 alive", "n3 alive")
}

func TestANodeThatVanishesIsDead(t *testing.T) {
	a, b, c := trio(t)
	c.Close()
	a.sees("n1 alive", "n2 alive", "n3 dead")
	b.sees("n1 alive", "n2 alive", "n3 dead")
}

// TestANodeThatStartsAgainIsAnotherMember, and nobody waits until the one before
// is missed.
func TestANodeThatStartsAgainIsAnotherMember(t *testing.T) {
	slow := func(c *membership.Config) { c.Probe = time.Minute } // nobody is missed
	a := start(t, "n1", slow)
	b := start(t, "n2", slow, joining(a))
	a.sees("n1 alive", "n2 alive")
	b.Close()
	start(t, "n2", slow, joining(a), func(c *membership.Config) { c.Incarnation, c.Listen = 2, b.Addr() })
	a.eventually(func() bool { return a.knows("n2").Incarnation == 2 }, func() string { return fmt.Sprint(a.Members()) })
	a.sees("n1 alive", "n2 alive")
}

// TestALostNodeIsLookedFor: memberlist forgets it, and it does not know anybody
// to join.
func TestALostNodeIsLookedFor(t *testing.T) {
	a, b, c := trio(t)
	c.Close()
	a.sees("n1 alive", "n2 alive", "n3 dead")
	b.sees("n1 alive", "n2 alive", "n3 dead")
	back := start(t, "n3", func(cfg *membership.Config) { cfg.Incarnation, cfg.Listen = 2, c.Addr() })
	back.sees("n1 alive", "n2 alive", "n3 alive")
}

func TestWatchersHearOfChanges(t *testing.T) {
	a := start(t, "n1")
	changed := make(chan int, 100)
	stop := a.Watch(func() { changed <- len(a.Members()) })
	b := start(t, "n2", joining(a))
	for n := 0; n != 2; {
		n = wait(t, changed)
	}
	stop()
	stop() // twice does no harm
	b.Close()
	a.sees("n1 alive", "n2 dead")
}

func wait(t *testing.T, c <-chan int) int {
	t.Helper()
	select {
	case n := <-c:
		return n
	case <-time.After(2 * time.Minute):
		t.Fatal("no change was heard of")
		return 0
	}
}

// TestAWatcherThatHangsHoldsNobodyUp: the gossip goes on.
func TestAWatcherThatHangsHoldsNobodyUp(t *testing.T) {
	a := start(t, "n1")
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	a.Watch(func() { <-hang })
	b := start(t, "n2", joining(a))
	a.sees("n1 alive", "n2 alive")
	b.Close()
	a.sees("n1 alive", "n2 dead")
}

func TestMetaChanges(t *testing.T) {
	a, b, _ := trio(t)
	m := membership.Meta{Cluster: "c1", NodeID: 1, Config: "abc", Version: "v2", FreeDisk: 7 << 30}
	if err := a.SetMeta(m); err != nil {
		t.Fatal(err)
	}
	b.eventually(func() bool { return b.knows("n1").Meta == m }, func() string { return fmt.Sprint(b.Members()) })
	if err := a.SetMeta(membership.Meta{HTTP: strings.Repeat("x", 250), RPC: strings.Repeat("y", 250)}); !errors.Is(err, membership.ErrMeta) {
		t.Errorf("too much metadata: got %v, want %v", err, membership.ErrMeta)
	}
}

func TestAnotherClusterIsNotLetIn(t *testing.T) {
	a := start(t, "n1")
	other := start(t, "n2", joining(a), func(c *membership.Config) { c.Meta.Cluster = "c2" })
	other.eventually(func() bool { return errors.Is(other.Trouble(), membership.ErrCluster) }, func() string { return fmt.Sprint(other.Trouble()) })
	other.sees("n2 alive")
	a.sees("n1 alive")
	a.eventually(func() bool { return a.log.count("not let in") == 1 }, func() string { return "a line in the log" })
	if text := other.Trouble().Error(); !strings.Contains(text, "empty data directory and --join") {
		t.Errorf("it does not say what to do: %s", text)
	}
}

// TestANodeWithoutAClusterIsLetIn: it is about to join.
func TestANodeWithoutAClusterIsLetIn(t *testing.T) {
	a := start(t, "n1")
	b := start(t, "n2", joining(a), func(c *membership.Config) { c.Meta = membership.Meta{} })
	b.sees("n1 alive", "n2 alive")
	if err := b.SetMeta(membership.Meta{Cluster: "c1", NodeID: 2}); err != nil {
		t.Fatal(err)
	}
	a.eventually(func() bool { return a.knows("n2").Meta.NodeID == 2 }, func() string { return fmt.Sprint(a.Members()) })
}

func TestTheSecretIsNeeded(t *testing.T) {
	a := start(t, "n1")
	for name, keys := range map[string][]secret.Key{"none": nil, "another": {key(2)}} {
		t.Run(name, func(t *testing.T) {
			const refusal = "refused a sender that does not have the secret"
			before := a.log.count(refusal)
			stranger := start(t, "n2", joining(a), func(c *membership.Config) { c.Keys = keys })
			stranger.eventually(func() bool { return stranger.log.count("no other node found yet") > 0 }, func() string { return "an attempt" })
			if err := stranger.Trouble(); !errors.Is(err, membership.ErrAlone) || !errors.Is(err, membership.ErrSecret) {
				t.Errorf("trouble: got %v, want %v and %v", err, membership.ErrAlone, membership.ErrSecret)
			}
			a.eventually(func() bool { return a.log.count(refusal) > before }, func() string { return "a refusal" })
			stranger.sees("n2 alive")
			a.sees("n1 alive")
		})
	}
}

// TestKeysAreChangedWithoutAGap as the package says.
func TestKeysAreChangedWithoutAGap(t *testing.T) {
	a, b, c := trio(t)
	nodes := []*node{a, b, c}
	for _, keys := range [][]secret.Key{{key(1), key(2)}, {key(2), key(1)}, {key(2)}} {
		for _, n := range nodes {
			if err := n.SetKeys(keys); err != nil {
				t.Fatal(err)
			}
			start(t, "n4", joining(n), func(c *membership.Config) { c.Keys = keys }).leaveAfter("n1", "n2", "n3", "n4")
		}
	}
	for _, n := range nodes { // who was missed while the machine stalled comes back
		n.eventually(func() bool {
			members := n.Members()
			return len(members) >= 3 && !slices.ContainsFunc(members[:3], func(m membership.Member) bool { return m.State != membership.Alive })
		}, func() string { return fmt.Sprint(n.Members()) })
	}
	old := start(t, "n5", joining(a))
	old.eventually(func() bool { return old.log.count("no other node found yet") > 0 }, func() string { return "an attempt" })
	old.sees("n5 alive")
	if err := a.SetKeys(nil); !errors.Is(err, membership.ErrKeys) {
		t.Errorf("no keys: got %v, want %v", err, membership.ErrKeys)
	}
}

// leaveAfter waits until the node has seen nodes alive, and ends it.
func (n *node) leaveAfter(names ...string) {
	n.t.Helper()
	n.eventually(func() bool {
		var alive []string
		for _, m := range n.Members() {
			if m.State == membership.Alive {
				alive = append(alive, m.Name)
			}
		}
		return slices.Equal(alive, names)
	}, func() string { return fmt.Sprint(n.Members()) })
	if err := n.Leave(n.t.Context()); err != nil {
		n.t.Error(err)
	}
	n.Close()
}

func TestJoiningItselfOrNobodyIsExplained(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close() // nobody is there now, and later this node
	n := start(t, "n1", func(c *membership.Config) { c.Join = []string{address} })
	n.eventually(func() bool { return n.log.count(address) > 0 }, func() string { return "the address in the log" })
	if err := n.Trouble(); !errors.Is(err, membership.ErrAlone) {
		t.Errorf("trouble: got %v, want %v", err, membership.ErrAlone)
	}
	n.Close()

	itself := start(t, "n1", func(c *membership.Config) { c.Listen, c.Join = address, []string{address} })
	itself.eventually(func() bool { return strings.Contains(fmt.Sprint(itself.Trouble()), "that is this node") }, func() string { return fmt.Sprint(itself.Trouble()) })
	found := start(t, "n2", joining(itself))
	found.sees("n1 alive", "n2 alive")
	itself.eventually(func() bool { return itself.Trouble() == nil }, func() string { return fmt.Sprint(itself.Trouble()) })
}

func TestStrangersDoNoHarm(t *testing.T) {
	a := start(t, "n1")
	for range 200 {
		c, err := net.Dial("udp", a.Addr())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte("\x08\x01\xde\xad\xbe\xef"))
		c.Close()
	}
	b := start(t, "n2", joining(a))
	b.sees("n1 alive", "n2 alive")
	if n := a.log.count("memberlist"); n > 100 {
		t.Errorf("200 packets made %d lines in the log", n)
	}
}

func TestLeaveEndsWithItsContext(t *testing.T) {
	a := start(t, "n1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Leave(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	a.Close()
	if err := a.Leave(t.Context()); err == nil {
		t.Error("a node that is closed has left")
	}
}

func TestAddressesAreChecked(t *testing.T) {
	for _, c := range []membership.Config{
		{Name: "n1", Listen: "nothing"},
		{Name: "n1", Listen: "127.0.0.1:http"},
		{Name: "n1", Listen: "127.0.0.1:0", Advertise: "no.such.host.invalid"},
		{Name: "n1", Listen: "127.0.0.1:0", Meta: membership.Meta{Version: strings.Repeat("v", 300)}},
	} {
		if g, err := membership.Open(c); err == nil {
			g.Close()
			t.Errorf("%+v was taken", c)
		}
	}
}
