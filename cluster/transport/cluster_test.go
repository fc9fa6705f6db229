package transport_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ssod/cluster/secret"
	"ssod/cluster/transport"
	"ssod/cluster/transport/transporttest"
	"ssod/persistence"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type nodeID = transport.NodeID

// recorder is an engine that notes what it hears.
type recorder struct {
	frames      chan string
	snapshots   chan snapshot
	unreachable chan nodeID
	lost        chan nodeID
	refuse      error         // what Deliver returns
	hold        chan struct{} // if set, snapshots wait until it is closed
	held        chan struct{} // gets a signal for each that waits
}

type snapshot struct {
	from        nodeID
	name, frame string
	file        []byte
	err         error // of reading the file
}

func newRecorder() *recorder {
	return &recorder{
		frames: make(chan string, 1<<16), snapshots: make(chan snapshot, 64),
		unreachable: make(chan nodeID, 1<<12), lost: make(chan nodeID, 1<<12), held: make(chan struct{}, 64),
	}
}

func (r *recorder) Deliver(from nodeID, frame []byte) error {
	if r.refuse != nil {
		return r.refuse
	}
	r.frames <- fmt.Sprint(from) + ": " + string(frame)
	return nil
}

func (r *recorder) DeliverSnapshot(from nodeID, name string, file io.Reader, frame []byte) error {
	if r.hold != nil {
		r.held <- struct{}{}
		<-r.hold
	}
	b, err := io.ReadAll(file)
	r.snapshots <- snapshot{from, name, string(frame), b, err}
	return err
}

func (r *recorder) AdmitSnapshot(uint64) error { return nil }

func (r *recorder) Unreachable(n nodeID)    { r.unreachable <- n }
func (r *recorder) ConnectionLost(n nodeID) { r.lost <- n }

// testNode is a node on a free port of the loopback.
type testNode struct {
	*transport.Network
	peer transport.Peer
	*recorder
	log *logLines
}

type option func(*transport.Config)

// secured gives a node a certificate of an authority.
func secured(t testing.TB, a *transporttest.Authority) option {
	return func(c *transport.Config) {
		var err error
		if c.Credentials, err = a.Credentials(c.Node.Name); err != nil {
			t.Fatal(err)
		}
	}
}

func newAuthority(t testing.TB) *transporttest.Authority {
	t.Helper()
	a, err := transporttest.NewAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// open makes a node that is not started.
func open(t testing.TB, id nodeID, options ...option) *testNode {
	t.Helper()
	log := &logLines{}
	cfg := transport.Config{
		Cluster: "c1", Node: transport.Peer{ID: id, Name: fmt.Sprint("n", id)}, Boots: boots(uint64(id) * 100), Secrets: ring(t, 1),
		Listen: "127.0.0.1:0", Ping: 20 * time.Millisecond, Silence: 10 * time.Second,
		Log: slog.New(slog.NewTextHandler(log, nil)),
	}
	for _, o := range options {
		o(&cfg)
	}
	n, err := transport.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	cfg.Node.Addr = n.Addr()
	return &testNode{n, cfg.Node, newRecorder(), log}
}

// ring is a secret of keys that are easy to tell from others.
func ring(t testing.TB, keys ...byte) *secret.Ring {
	t.Helper()
	r, err := secret.NewRing(keysOf(keys...)...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func keysOf(bs ...byte) (keys []secret.Key) {
	for _, b := range bs {
		keys = append(keys, secret.Key{b})
	}
	return keys
}

// boots are starts, one after another, of which none is confirmed.
func boots(incarnations ...uint64) persistence.Boots {
	return persistence.Boots{Number: uint64(len(incarnations)), Incarnations: incarnations}
}

func start(t testing.TB, id nodeID, options ...option) *testNode {
	t.Helper()
	n := open(t, id, options...)
	n.Start(n.recorder)
	return n
}

// pair starts two nodes that know each other.
func pair(t *testing.T, options ...option) (a, b *testNode) {
	t.Helper()
	a, b = start(t, 1, options...), start(t, 2, options...)
	know(t, a, b.peer)
	know(t, b, a.peer)
	connected(t, a, 2)
	connected(t, b, 1)
	return a, b
}

func know(t testing.TB, n *testNode, p transport.Peer) {
	t.Helper()
	if err := n.SetPeer(p); err != nil {
		t.Fatal(err)
	}
}

// status is what a node knows of another.
func (n *testNode) status(id nodeID) transport.Status {
	for _, s := range n.Peers() {
		if s.ID == id {
			return s
		}
	}
	return transport.Status{}
}

func connected(t testing.TB, n *testNode, id nodeID) {
	t.Helper()
	eventually(t, fmt.Sprintf("node %d is connected to node %d", n.peer.ID, id), func() bool { return n.status(id).Connected })
}

// eventually polls until ok.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(2 * time.Minute)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not in time: %s", what)
		}
	}
}

// receive is the next value, which must come.
func receive[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(2 * time.Minute):
		t.Fatalf("not in time: %s", what)
		panic("unreachable")
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

func (l *logLines) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Contains(l.b.Bytes(), []byte(text))
}

// through lets a node reach another one only through a proxy, as a network would.
func through(p *transporttest.Proxy, to *testNode) option {
	return func(c *transport.Config) {
		c.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
			if addr == to.Addr() {
				addr = p.Addr()
			}
			return (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		}
	}
}

// newProxy starts a proxy before a node.
func newProxy(t *testing.T, to *testNode) *transporttest.Proxy {
	t.Helper()
	p, err := transporttest.NewProxy(to.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

var errTest = errors.New("not understood")
