package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"ssod/cluster"
)

// maxPeers bounds how many nodes are known.
const maxPeers = 1024

// Network connects this node with the others. It implements
// [ssod/cluster/replica.Transport].
type Network struct {
	cfg      Config
	listener net.Listener
	engine   Engine // set by Start
	started  time.Time
	streams  map[purpose]func(*peer, greeting, *link) error
	porch    porch          // of the handshakes that others began
	refused  rate.Sometimes // bounds what is logged of them
	refusals [reasons]atomic.Uint64
	spare    chan []byte     // frames that were sent
	sending  chan struct{}   // bounds the snapshots that are sent,
	taking   chan struct{}   // those that are received
	waiting  chan struct{}   // and those that wait to be
	pace     *rate.Limiter   // of the snapshots that are sent
	calls    chan struct{}   // bounds the requests that are answered
	handler  Handler         // set by Handle
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	tasks    sync.WaitGroup

	mu      sync.RWMutex
	peers   map[NodeID]*peer
	removed map[NodeID]bool
	notes   map[NodeID]lineage // of nodes, from before this start
}

// Open begins to listen. Nobody is answered and nothing is sent before
// [Network.Start].
func Open(cfg Config) (*Network, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("transport: %w", err)
	}
	notes, err := readNotes(cfg.Notes)
	if err != nil {
		return nil, fmt.Errorf("transport: %w", err)
	}
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("transport: %w", err)
	}
	if cfg.Node.Addr == "" {
		cfg.Node.Addr = listener.Addr().String()
	}
	n := &Network{
		cfg: cfg, listener: listener, started: time.Now(),
		refused: rate.Sometimes{First: 10, Interval: time.Second},
		spare:   make(chan []byte, spareFrames),
		sending: make(chan struct{}, snapshots), taking: make(chan struct{}, snapshots), waiting: make(chan struct{}, 64),
		calls: make(chan struct{}, maxCalls),
		pace:  rate.NewLimiter(rate.Limit(cfg.SnapshotRate), chunkSize),
		peers: make(map[NodeID]*peer), removed: make(map[NodeID]bool), notes: notes,
	}
	n.streams = map[purpose]func(*peer, greeting, *link) error{
		forFrames:   n.receive,
		forSnapshot: func(p *peer, _ greeting, l *link) error { return n.receiveSnapshot(p, l) },
		forCall:     func(p *peer, _ greeting, l *link) error { return n.answerAll(p, l) },
		forJoin:     func(_ *peer, _ greeting, l *link) error { return n.answerOne(l) },
	}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	return n, nil
}

// Start answers and dials; what comes goes to the engine. It is called once.
func (n *Network) Start(e Engine) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.engine = e
	for _, p := range n.peers {
		n.run(p)
	}
	n.tasks.Go(n.accept)
	n.tasks.Go(n.noteAll)
}

// Close ends all connections and waits for what they were doing.
func (n *Network) Close() error {
	n.mu.Lock()
	n.cancel()
	n.mu.Unlock()
	err := n.listener.Close()
	n.tasks.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Addr is where this node listens.
func (n *Network) Addr() string { return n.listener.Addr().String() }

// Send hands a frame over; it does not block. The frame may be lost, and belongs
// to the network.
func (n *Network) Send(to NodeID, frame []byte) {
	if p := n.peer(to); p != nil {
		p.send(frame)
	}
}

// SetPeer makes a node known, or gives it another address than it had set before.
// A node's name never changes.
func (n *Network) SetPeer(p Peer) error {
	if p.ID == n.cfg.Node.ID {
		return nil
	}
	known, err := n.know(p, true)
	if err == nil {
		known.retry()
	}
	return err
}

// know returns the node, which becomes known if it is not. Who was set keeps the
// address that was set; others have the one that they said last.
func (n *Network) know(p Peer, set bool) (*peer, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.removed[p.ID] {
		return nil, fmt.Errorf("%w: %v", ErrRemoved, p)
	}
	known := n.peers[p.ID]
	if known != nil {
		if known.name != p.Name {
			return nil, fmt.Errorf("%w: %v is known as %q", ErrNode, p, known.name)
		}
		known.locate(p.Addr, set)
		return known, nil
	}
	if len(n.peers) == maxPeers {
		return nil, fmt.Errorf("%w: %d nodes are known", ErrBusy, maxPeers)
	}
	known = newPeer(n, p, set)
	n.peers[p.ID] = known
	if n.engine != nil {
		n.run(known)
	}
	return known, nil
}

// met notes a node whose greeting is good, and returns the era in which it is that
// node.
func (n *Network) met(g *greeting, s *socket) (era, error) {
	if g.from.ID == 0 || g.from.ID == n.cfg.Node.ID {
		return era{}, fmt.Errorf("%w: %v has the id of this node or none", ErrNode, g.from)
	}
	if g.boots.Number == 0 {
		return era{}, fmt.Errorf("%w: %v has never started", ErrProtocol, g.from)
	}
	p, err := n.know(g.from, false)
	if err != nil {
		return era{}, err
	}
	now, err := p.admit(g)
	if err != nil {
		return era{}, fmt.Errorf("%v: %w", g.from, err)
	}
	p.saw(s.leaf())
	p.hear()
	return now, nil
}

// RemovePeer forgets a node for good: it is not dialed any more and refused when
// it comes.
func (n *Network) RemovePeer(id NodeID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.removed[id] = true
	if p := n.peers[id]; p != nil {
		p.cancel()
		delete(n.peers, id)
	}
}

// Moved says that a node is reached at another address than the one that was set:
// it started again there. Who answers has to prove that it is that node.
func (n *Network) Moved(id NodeID, addr string) {
	if p := n.peer(id); p != nil && p.move(addr) {
		p.retry()
	}
}

// Retry dials a node now if it is not connected: somebody heard that it is there.
func (n *Network) Retry(id NodeID) {
	if p := n.peer(id); p != nil {
		p.retry()
	}
}

// Probe asks a node at once whether it is there, and dials it if it is not connected:
// somebody believes that it is gone. What comes of it is seen in LastHeard.
func (n *Network) Probe(id NodeID) {
	if p := n.peer(id); p != nil {
		p.probe()
	}
}

func (n *Network) peer(id NodeID) *peer {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.peers[id]
}

// run dials a peer until the network is closed or the peer removed. The caller
// holds the lock.
func (n *Network) run(p *peer) {
	if n.ctx.Err() == nil {
		n.tasks.Go(p.run)
	}
}

// SendSnapshot has a snapshot made and carries it to a node. It returns nil when the
// receiver has it, durably. At most two are sent at a time, and all of them below
// [Config.SnapshotRate], unless one needs more to arrive.
func (n *Network) SendSnapshot(to NodeID, s *cluster.Snapshot) error {
	err := n.sendSnapshot(to, s)
	if err != nil {
		return fmt.Errorf("snapshot %s to node %d: %w", s.Name, to, err)
	}
	return nil
}
