package floor

import (
	"crypto/tls"
	"errors"
	"fmt"
	"hash/crc32"
	"net"
	"sync"
)

// Config says how to take part.
type Config struct {
	// File is where batches go; the node closes it.
	File File
	// TLS is for both directions; nil: none.
	TLS *tls.Config
}

// Node is one of three.
type Node struct {
	cfg      Config
	listener net.Listener
	disk     *disk

	mu      sync.Mutex
	waiting *batch // of callers, not yet under way
	closed  bool
	failed  error

	wake    chan struct{}
	stop    chan struct{}
	peers   []*peer
	conns   []net.Conn // guarded by mu
	workers sync.WaitGroup
}

// ErrClosed: the node is closed, or another is.
var ErrClosed = errors.New("floor: closed")

// needed is how many nodes must have a batch.
const needed = 2

// batch is what several callers commit together.
type batch struct {
	data []byte // header, then each caller's payload
	done chan struct{}

	mu   sync.Mutex
	acks int
	err  error
}

// Open listens on a free port of loopback.
func Open(cfg Config) (*Node, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n := &Node{cfg: cfg, listener: l, wake: make(chan struct{}, 1), stop: make(chan struct{})}
	n.disk = newDisk(cfg.File, n.fail)
	n.workers.Go(n.disk.run)
	n.workers.Go(n.accept)
	return n, nil
}

// Addr is where the node listens.
func (n *Node) Addr() string { return n.listener.Addr().String() }

// Peer is another node: its name as its certificate has it, and where it listens.
type Peer struct{ Name, Addr string }

// Connect connects to the other nodes; from then on there may be commits.
func (n *Node) Connect(peers ...Peer) error {
	for _, to := range peers {
		conn, err := n.dial(to)
		if err != nil {
			return fmt.Errorf("connect to %s: %w", to.Name, err)
		}
		p := &peer{conn: conn}
		n.mu.Lock()
		n.peers = append(n.peers, p)
		n.mu.Unlock()
		n.workers.Go(func() { n.ended(p.receive()) })
	}
	n.workers.Go(n.run)
	return nil
}

func (n *Node) dial(to Peer) (conn net.Conn, err error) {
	if n.cfg.TLS == nil {
		conn, err = net.Dial("tcp", to.Addr)
	} else {
		cfg := n.cfg.TLS.Clone()
		cfg.ServerName = to.Name
		conn, err = tls.Dial("tcp", to.Addr, cfg)
	}
	if err == nil {
		n.keep(conn)
	}
	return conn, err
}

// keep sees to it that a connection ends with the node.
func (n *Node) keep(conn net.Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns = append(n.conns, conn)
	if n.closed {
		conn.Close()
	}
}

// Commit returns when two nodes have the payload on disk.
func (n *Node) Commit(payload []byte) error {
	n.mu.Lock()
	if err := n.failed; err != nil {
		n.mu.Unlock()
		return err
	}
	b := n.waiting
	if b == nil {
		b = &batch{data: make([]byte, header, 4096), done: make(chan struct{})}
		n.waiting = b
	}
	b.data = append(b.data, payload...)
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default:
	}
	<-b.done
	return b.err
}

// run sends one batch after the other: the next when the last one is on this disk.
func (n *Node) run() {
	for {
		select {
		case <-n.wake:
		case <-n.stop:
			return
		}
		n.mu.Lock()
		b := n.waiting
		n.waiting = nil
		n.mu.Unlock()
		if b == nil {
			continue
		}
		seal(b.data, crc32.Checksum(b.data[header:], castagnoli))
		for _, p := range n.peers {
			if err := p.send(b); err != nil {
				n.ended(err)
			}
		}
		synced := make(chan struct{})
		n.disk.write(b.data, func() { close(synced) })
		select {
		case <-synced:
			b.ack()
		case <-n.stop:
			return
		}
	}
}

// ack counts a node that has the batch.
func (b *batch) ack() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.acks++; b.acks == needed {
		close(b.done)
	}
}

// end releases callers that wait for a majority.
func (b *batch) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.acks < needed {
		b.acks, b.err = needed, err
		close(b.done)
	}
}

// fail ends all commits: nothing is repaired here.
func (n *Node) fail(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.failed != nil {
		return
	}
	n.failed = err
	if n.waiting != nil {
		n.waiting.end(err)
	}
	for _, p := range n.peers {
		p.end(err)
	}
	for _, c := range n.conns {
		c.Close() // so that the others do not wait for this node
	}
}

// ended is what becomes of a broken connection.
func (n *Node) ended(err error) { n.fail(errors.Join(ErrClosed, err)) }

// Close ends all that is under way.
func (n *Node) Close() error {
	n.mu.Lock()
	first := !n.closed
	n.closed = true
	for _, c := range n.conns {
		c.Close()
	}
	n.mu.Unlock()
	if !first {
		return nil
	}
	n.fail(ErrClosed)
	err := n.listener.Close()
	close(n.stop)
	n.disk.close()
	n.workers.Wait()
	return errors.Join(err, n.cfg.File.Close())
}
