package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
)

// connect dials a peer and shakes hands for a purpose.
func (n *Network) connect(ctx context.Context, to Peer, why purpose) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Handshake)
	defer cancel()
	raw, err := n.cfg.Dial(ctx, to.Addr)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	l, err := n.introduce(ctx, raw, to, why)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		raw.Close()
		return nil, err
	}
	return l, nil
}

// introduce is the dialing side of a handshake.
func (n *Network) introduce(ctx context.Context, raw net.Conn, to Peer, why purpose) (*link, error) {
	l, err := n.secure(ctx, raw, func(c net.Conn) *tls.Conn { return tls.Client(c, n.cfg.Credentials.Client(to.Name)) })
	if err != nil {
		return nil, err
	}
	if err := l.send(kindGreeting, n.greeting(why, to.ID), n.cfg.Handshake); err != nil {
		return nil, err
	}
	g, err := n.greeted(l)
	if err != nil {
		return nil, err
	}
	if g.from.ID != to.ID || g.from.Name != to.Name {
		return nil, fmt.Errorf("%w: %v answers at the address of %v", ErrNode, g.from, to)
	}
	l.trust(n.cfg.MaxFrame, n.cfg.Silence)
	return l, n.met(&g, l)
}

// secure begins TLS on one side or the other, if there is TLS.
func (n *Network) secure(ctx context.Context, raw net.Conn, side func(net.Conn) *tls.Conn) (*link, error) {
	if n.cfg.Credentials == nil {
		return newLink(raw, raw, nil, n.cfg.Handshake), nil
	}
	out := newCoalescer(raw)
	conn := side(out)
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	out.begin()
	return newLink(conn, raw, out, n.cfg.Handshake), nil
}

// admit is the accepting side of a handshake. When it fails the link, if there
// is one, can still take the refusal.
func (n *Network) admit(ctx context.Context, raw net.Conn) (*link, greeting, error) {
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Handshake)
	defer cancel()
	defer context.AfterFunc(ctx, func() { raw.Close() })()
	l, err := n.secure(ctx, raw, func(c net.Conn) *tls.Conn { return tls.Server(c, n.cfg.Credentials.Server()) })
	if err != nil {
		return nil, greeting{}, err
	}
	g, err := n.welcome(l)
	if err == nil {
		err = l.send(kindGreeting, n.greeting(g.purpose, g.from.ID), n.cfg.Handshake)
	}
	if err != nil {
		return l, g, err
	}
	l.trust(n.cfg.MaxFrame, n.cfg.Silence)
	return l, g, nil
}

// welcome reads the greeting of a node that dialed, and refuses who has nothing
// to do here.
func (n *Network) welcome(l *link) (greeting, error) {
	g, err := readGreeting(l)
	switch {
	case err != nil:
		return g, err
	case n.streams[g.purpose] == nil:
		return g, fmt.Errorf("%w: unknown purpose %d", ErrProtocol, g.purpose)
	case g.purpose == forJoin:
		return g, certified(g, l)
	}
	if err := n.judge(g, l); err != nil {
		if errors.Is(err, ErrCluster) && certified(g, l) == nil {
			n.cfg.Claimed(g.from, g.cluster)
		}
		return g, err
	}
	g.first = g.purpose == forFrames // its sender has one such connection at a time
	return g, n.met(&g, l)
}

// greeted reads the greeting of a node that was dialed and refuses who is not of
// this cluster or not who it says.
func (n *Network) greeted(l *link) (greeting, error) {
	g, err := readGreeting(l)
	if err != nil {
		return g, err
	}
	return g, n.judge(g, l)
}

func readGreeting(l *link) (greeting, error) {
	k, payload, err := l.reader.next()
	if err != nil {
		return greeting{}, err
	}
	switch k {
	case kindGreeting:
		return decodeGreeting(payload)
	case kindRefusal:
		return greeting{}, decodeRefusal(payload)
	}
	return greeting{}, fmt.Errorf("%w: no greeting", ErrProtocol)
}

func (n *Network) judge(g greeting, l *link) error {
	if g.cluster != n.cfg.Cluster {
		return fmt.Errorf("%w: %v is of cluster %q", ErrCluster, g.from, g.cluster)
	}
	if g.to != n.cfg.Node.ID {
		return fmt.Errorf("%w: this is %v, node %d is wanted", ErrNode, n.cfg.Node, g.to)
	}
	return certified(g, l)
}

// certified refuses a node whose certificate is not for its name.
func certified(g greeting, l *link) error {
	if conn, ok := l.Conn.(*tls.Conn); ok {
		if err := conn.ConnectionState().PeerCertificates[0].VerifyHostname(g.from.Name); err != nil {
			return fmt.Errorf("%w: it calls itself %v: %w", ErrNode, g.from, err)
		}
	}
	return nil
}

// greeting is what this node says of itself.
func (n *Network) greeting(why purpose, to NodeID) []byte {
	g := greeting{purpose: why, to: to, from: n.cfg.Node, boots: n.cfg.Boots, durable: n.cfg.Durable(), cluster: n.cfg.Cluster}
	return g.encode()
}
