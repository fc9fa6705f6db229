package faultrun

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// Network carries everything that the nodes of a cluster say to each other,
// until it is told what not to carry. Each node listens on 127.0.0.1 and
// advertises an address of the loopback net that is the network's own, with the
// same ports. Who dials is found by the socket, so each direction between each
// two nodes can be cut on its own.
//
// What is cut is not ended: as with a cable that is pulled, connections stand,
// new ones hang, and nothing comes. What was written meanwhile comes when the
// network is healed; datagrams are lost.
type Network struct {
	tasks   sync.WaitGroup
	sockets []closer // listeners

	mu      sync.Mutex
	nodes   map[*Node]bool
	cut     map[direction]bool
	late    time.Duration
	mum     bool          // no gossip is carried
	changed chan struct{} // closed when cut changes
	conns   map[net.Conn]bool
	closed  bool
}

type closer interface{ Close() error }

// direction is what one node says to another.
type direction struct{ from, to *Node }

func newNetwork() *Network {
	return &Network{
		nodes: map[*Node]bool{}, cut: map[direction]bool{}, changed: make(chan struct{}), conns: map[net.Conn]bool{},
	}
}

// service is what a connection is for, in the order of a node's listeners.
type service int

const (
	gossip service = iota
	actor
	replication
)

// attach listens in the place of a node: of its gossip, actor and replication
// listeners.
func (n *Network) attach(to *Node, host string, listeners []string) error {
	n.mu.Lock()
	n.nodes[to] = true
	n.mu.Unlock()
	for of, behind := range listeners {
		_, port, err := net.SplitHostPort(behind)
		if err != nil {
			return err
		}
		front := net.JoinHostPort(host, port)
		l, err := net.Listen("tcp", front)
		if err != nil {
			return fmt.Errorf("listen in the place of %s: %w", to, err)
		}
		n.sockets = append(n.sockets, l)
		n.tasks.Go(func() { n.accept(l, to, behind, service(of)) })
		if service(of) == gossip {
			if err := n.attachGossip(to, front, behind); err != nil {
				return err
			}
		}
	}
	return nil
}

// attachGossip carries the datagrams to a node.
func (n *Network) attachGossip(to *Node, front, behind string) error {
	at, err := netip.ParseAddrPort(front)
	if err != nil {
		return err
	}
	real, err := netip.ParseAddrPort(behind)
	if err != nil {
		return err
	}
	socket, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return fmt.Errorf("listen in the place of %s: %w", to, err)
	}
	n.sockets = append(n.sockets, socket)
	n.tasks.Go(func() { n.datagrams(socket, to, real) })
	return nil
}

func (n *Network) datagrams(socket *net.UDPConn, to *Node, behind netip.AddrPort) {
	buffer := make([]byte, 64<<10)
	for {
		size, from, err := socket.ReadFromUDPAddrPort(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil && n.open(n.gossiper(from.Port()), to) && !n.gossipless() {
			_, _ = socket.WriteToUDPAddrPort(buffer[:size], behind)
		}
	}
}

// gossiper is the node that gossips from a port.
func (n *Network) gossiper(port uint16) *Node {
	n.mu.Lock()
	defer n.mu.Unlock()
	for node := range n.nodes {
		if node.gossipPort() == strconv.Itoa(int(port)) {
			return node
		}
	}
	return nil
}

func (n *Network) accept(l net.Listener, to *Node, behind string, of service) {
	for {
		in, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil && n.hold(in) {
			n.tasks.Go(func() { n.connect(in, to, behind, of) })
		}
	}
}

// hold notes a connection, to close it at the end.
func (n *Network) hold(c net.Conn) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		c.Close()
		return false
	}
	n.conns[c] = true
	return true
}

func (n *Network) drop(conns ...net.Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range conns {
		c.Close()
		delete(n.conns, c)
	}
}

// connect carries one connection: from is whoever dialed.
func (n *Network) connect(in net.Conn, to *Node, behind string, of service) {
	defer n.drop(in)
	from := n.dialer(in)
	if from == nil {
		return
	}
	if of == gossip && n.gossipless() {
		n.reset(in)
		return
	}
	n.await(from, to)
	n.await(to, from) // nothing is established without an answer
	out, err := net.DialTimeout("tcp", behind, time.Second)
	if err != nil || !n.hold(out) {
		n.reset(in)
		return
	}
	defer n.drop(out)
	var both sync.WaitGroup
	both.Go(func() { n.carry(in, out, direction{from, to}, of) })
	both.Go(func() { n.carry(out, in, direction{to, from}, of) })
	both.Wait()
}

// reset ends a connection as a host does where nobody listens.
func (n *Network) reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}

// BlockGossip lets no gossip through, as a firewall does that somebody forgot to open
// there. Everything else goes on.
func (n *Network) BlockGossip() { n.change(func() { n.mum = true }) }

func (n *Network) gossipless() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.mum
}

// open reports whether what a node says reaches another one.
func (n *Network) open(from, to *Node) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return from != nil && !n.cut[direction{from, to}]
}

// await waits until what a node says reaches another one, or the network is
// closed.
func (n *Network) await(from, to *Node) {
	for {
		n.mu.Lock()
		open, changed := n.closed || !n.cut[direction{from, to}], n.changed
		n.mu.Unlock()
		if open {
			return
		}
		<-changed
	}
}

// change changes what is cut.
func (n *Network) change(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
	close(n.changed)
	n.changed = make(chan struct{})
}

// Part cuts the network into sides: nodes of one side hear only each other.
func (n *Network) Part(sides ...[]*Node) {
	n.change(func() {
		for i, side := range sides {
			for j, other := range sides {
				if i != j {
					n.mute(side, other)
				}
			}
		}
	})
}

// Mute lets nothing that some nodes say reach others, who still are heard.
func (n *Network) Mute(from, to []*Node) { n.change(func() { n.mute(from, to) }) }

func (n *Network) mute(from, to []*Node) {
	for _, f := range from {
		for _, t := range to {
			n.cut[direction{f, t}] = true
		}
	}
}

// Heal lets everything through again.
func (n *Network) Heal() {
	n.change(func() {
		clear(n.cut)
		n.mum = false
	})
}

// Close ends all connections and waits for what carried them.
func (n *Network) Close() {
	n.change(func() {
		n.closed = true
		for c := range n.conns {
			c.Close()
		}
	})
	for _, s := range n.sockets {
		s.Close()
	}
	n.tasks.Wait()
}
