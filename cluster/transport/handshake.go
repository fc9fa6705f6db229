package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"

	"ssod/cluster/proof"
	"ssod/cluster/wait"
)

const (
	// maxReaching bounds the handshakes with one node that are under way. The node has room
	// for them even if it does not know this one's address.
	maxReaching = 8
	// reachTries bounds the attempts when the node ends handshakes because of others that
	// came at the same time.
	reachTries = 4
)

// reach connects to the node for a request or a snapshot, in turn.
func (p *peer) reach(ctx context.Context, why purpose) (*link, error) {
	select {
	case p.reaching <- struct{}{}:
		defer func() { <-p.reaching }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for try := 1; ; try++ {
		l, err := p.n.connect(ctx, p.target(), why)
		if !errors.Is(err, errUnfinished) || try == reachTries {
			return l, err
		}
		if wait.Pause(ctx, rand.N(firstPause)) != nil {
			return nil, err
		}
	}
}

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
		return nil, unfinished(err)
	}
	return l, nil
}

// errUnfinished says that the other side ended a connection before its greeting: its
// process is gone, it has another secret, or too many strangers came at the same time.
var errUnfinished = errors.New("the connection was ended in the middle of the handshake")

// unfinished keeps such an end from counting as that of a process.
func unfinished(err error) error {
	if gone(err) {
		return fmt.Errorf("%w: %v", errUnfinished, err)
	}
	return err
}

// introduce is the dialing side of a handshake.
func (n *Network) introduce(ctx context.Context, raw net.Conn, to Peer, why purpose) (*link, error) {
	s, err := n.secure(ctx, raw, func(c net.Conn) *tls.Conn { return tls.Client(c, n.cfg.Credentials.Client(to.Name)) })
	if err != nil {
		return nil, err
	}
	answer, err := proof.Dial(s, n.port(s, to.Addr), n.greeting(why, to.ID))
	if err != nil {
		return nil, err
	}
	g, err := decodeGreeting(answer)
	if err == nil {
		err = n.judge(g, s)
	}
	if err != nil {
		return nil, err
	}
	if g.from.ID != to.ID || g.from.Name != to.Name {
		return nil, fmt.Errorf("%w: %v answers at the address of %v", ErrNode, g.from, to)
	}
	now, err := n.met(&g, s)
	if err != nil {
		return nil, err
	}
	return n.link(s, now, n.cfg.MaxFrame), nil
}

// admit is the accepting side of a handshake. A stranger learns nothing; a node that has
// proven that it knows the secret learns why it is refused.
func (n *Network) admit(ctx context.Context, raw net.Conn, proven func()) (*link, greeting, error) {
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Handshake)
	defer cancel()
	defer context.AfterFunc(ctx, func() { raw.Close() })()
	s, err := n.secure(ctx, raw, func(c net.Conn) *tls.Conn { return tls.Server(c, n.cfg.Credentials.Server()) })
	if err != nil {
		return nil, greeting{}, err
	}
	guest, err := proof.Accept(s, n.port(s, n.cfg.Node.Addr))
	if err != nil {
		return nil, greeting{}, err
	}
	proven()
	g, err := decodeGreeting(guest.Statement)
	var now era
	if err == nil {
		now, err = n.welcome(&g, s)
	}
	if err != nil {
		_ = guest.Answer(append([]byte{byte(kindRefusal)}, encodeRefusal(err)...)) // or it is gone
		return nil, g, err
	}
	if err := guest.Answer(n.greeting(g.purpose, g.from.ID)); err != nil {
		return nil, g, err
	}
	return n.link(s, now, n.cfg.MaxFrame), g, nil
}

// welcome takes in a node that dialed, or refuses it. One that has yet to join has no era.
func (n *Network) welcome(g *greeting, s *socket) (now era, err error) {
	switch {
	case n.streams[g.purpose] == nil:
		return now, fmt.Errorf("%w: unknown purpose %d", ErrProtocol, g.purpose)
	case g.purpose == forJoin:
		return now, n.permitted(Peer{Name: g.from.Name}, s)
	}
	if err := n.judge(*g, s); err != nil {
		if errors.Is(err, ErrCluster) && certified(g.from, s) == nil {
			n.cfg.Claimed(g.from, g.cluster)
		}
		return now, err
	}
	g.first = g.purpose == forFrames // its sender has one such connection at a time
	return n.met(g, s)
}

// judge refuses a node of another cluster or another identity.
func (n *Network) judge(g greeting, s *socket) error {
	if g.cluster != n.cfg.Cluster {
		return fmt.Errorf("%w: %v is of cluster %q", ErrCluster, g.from, g.cluster)
	}
	if g.to != n.cfg.Node.ID {
		return fmt.Errorf("%w: this is %v, node %d is wanted", ErrNode, n.cfg.Node, g.to)
	}
	if err := n.permitted(g.from, s); err != nil {
		return err
	}
	return n.judgeLevel(g)
}

// judgeLevel refuses a node whose version does not know the level of the cluster, before
// any frame that one side could not read. [ErrLevel] is for the node whose version lacks
// it.
func (n *Network) judgeLevel(g greeting) error {
	if at := n.cfg.Level(); !g.levels.Has(at) {
		return fmt.Errorf("%w: the cluster is at format level %d, and %v knows %v", ErrLevel, at, g.from, g.levels)
	}
	if !n.cfg.Levels.Has(g.level) {
		return fmt.Errorf("%w: %v says that the cluster is at format level %d, and this node knows %v", ErrRefused, g.from, g.level, n.cfg.Levels)
	}
	return nil
}

// permitted refuses a node whose certificate is not for its name, or that may not take
// part.
func (n *Network) permitted(p Peer, s *socket) error {
	if err := certified(p, s); err != nil {
		return err
	}
	return n.cfg.Permit(p, s.leaf())
}

// certified refuses a node whose certificate is not for its name.
func certified(p Peer, s *socket) error {
	if leaf := s.leaf(); leaf != nil {
		if err := leaf.VerifyHostname(p.Name); err != nil {
			return fmt.Errorf("%w: it calls itself %v: %w", ErrNode, p, err)
		}
	}
	return nil
}

// greeting is what this node says of itself.
func (n *Network) greeting(why purpose, to NodeID) []byte {
	g := greeting{purpose: why, to: to, from: n.cfg.Node, boots: n.cfg.Boots, durable: n.cfg.Durable(), cluster: n.cfg.Cluster}
	g.levels, g.level = n.cfg.Levels, n.cfg.Level()
	return g.encode()
}
