package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"ssod/cluster"
	"ssod/cluster/proof"
)

// maxPeers bounds the nodes that are known.
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
	refusals proof.Refusals
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

// Open begins to listen. Nothing is answered or sent before [Network.Start].
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
	n.refusals = newRefusals()
	n.porch.evicted = n.refusals.WithLabelValues(proof.Evicted)
	n.ctx, n.cancel = context.WithCancel(context.Background())
	return n, nil
}

// Start accepts and dials connections for an engine. It is called once.
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

// Close ends all connections and waits for their goroutines.
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

// Send queues a frame, which belongs to the network then and may be lost. It does not block.
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

// know returns a node, which becomes known if it is not. A node keeps the address that was
// set; without one it has the address that it said last.
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

// met takes in a node whose greeting is good, and returns its era.
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

// RemovePeer forgets a node for good: it is neither dialed nor accepted any more.
func (n *Network) RemovePeer(id NodeID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.removed[id] = true
	if p := n.peers[id]; p != nil {
		p.cancel()
		delete(n.peers, id)
	}
}

// Moved says that a node restarted at another address than the one that was set. The node
// that answers there must prove that it is that one.
func (n *Network) Moved(id NodeID, addr string) {
	if p := n.peer(id); p != nil && p.move(addr) {
		p.retry()
	}
}

// Retry dials a node now if it is not connected, because it is said to be there.
func (n *Network) Retry(id NodeID) {
	if p := n.peer(id); p != nil {
		p.retry()
	}
}

// Probe pings a node at once, or dials it if it is not connected, because it is said to be
// gone. [Network.LastHeard] has the result.
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

// SendSnapshot has a snapshot made and sends it to a node. It returns nil when the receiver
// has it durably. At most two are sent at a time, within [Config.SnapshotRate].
func (n *Network) SendSnapshot(to NodeID, s *cluster.Snapshot) error {
	err := n.sendSnapshot(to, s)
	if err != nil {
		return fmt.Errorf("snapshot %s to node %d: %w", s.Name, to, err)
	}
	return nil
}
