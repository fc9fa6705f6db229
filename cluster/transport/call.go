package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"ssod/cluster/proof"
	"ssod/cluster/secret"
)

// Handler answers the requests of other nodes; from is 0 for one that is not a member yet.
// An error ends the connection, and its text is sent to the other side.
type Handler func(ctx context.Context, from NodeID, request []byte) ([]byte, error)

const (
	// maxCalls bounds the requests that are answered at a time.
	maxCalls = 256
	// maxCall bounds requests and answers in bytes, also those of strangers.
	maxCall = 1 << 20
	// callTime bounds the time to answer one.
	callTime = 15 * time.Second
)

// Handle sets the handler of requests. It is called before [Network.Start].
func (n *Network) Handle(h Handler) { n.handler = h }

// Call asks a node and waits for the answer until ctx ends. The request may have been
// carried out although Call fails. It may be carried out twice: when an idle connection
// turns out to be broken, the request is sent again over a new one.
func (n *Network) Call(ctx context.Context, to NodeID, request []byte) ([]byte, error) {
	p := n.peer(to)
	if p == nil {
		return nil, fmt.Errorf("call node %d: %w", to, ErrUnknownNode)
	}
	answer, err := p.call(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("call node %d: %w", to, err)
	}
	return answer, nil
}

// call asks over an idle connection, which saves the handshake, or over a new one.
func (p *peer) call(ctx context.Context, request []byte) ([]byte, error) {
	if l := p.idle.take(); l != nil {
		answer, err := p.callOver(ctx, l, request)
		if !gone(err) || ctx.Err() != nil {
			return answer, err
		}
	}
	l, err := p.reach(ctx, forCall)
	if err != nil {
		return nil, err
	}
	return p.callOver(ctx, l, request)
}

// callOver asks over a connection and keeps it if that succeeds.
func (p *peer) callOver(ctx context.Context, l *link, request []byte) ([]byte, error) {
	answer, err := l.ask(ctx, request, p.n.cfg.Silence)
	if err != nil {
		l.Close()
		return nil, err
	}
	p.idle.put(l)
	return answer, nil
}

// ask sends a request and reads the answer. The connection can be used again unless it
// fails.
func (l *link) ask(ctx context.Context, request []byte, within time.Duration) (answer []byte, err error) {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer func() {
		if !stop() && err == nil {
			err = ctx.Err() // the connection is closed
		}
	}()
	l.patience = callTime
	if err := l.send(kindRequest, request, within); err != nil {
		return nil, err
	}
	k, b, err := l.reader.next()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, err
	case k == kindRefusal:
		return nil, decodeRefusal(b)
	case k != kindAnswer:
		return nil, fmt.Errorf("%w: kind %d of %d bytes", ErrFrame, k, len(b))
	}
	return append([]byte(nil), b...), nil
}

// answerAll answers the requests of a member until it asks no more.
func (n *Network) answerAll(p *peer, l *link) error {
	l.reader.limit, l.patience = 1+maxCall, keepFor
	for {
		k, request, err := l.reader.next()
		switch {
		case err == io.EOF, errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case err != nil:
			return err
		}
		if err := n.answer(p, l, k, request); err != nil {
			return err
		}
	}
}

// answerOne answers the only request of a node that is not a member yet.
func (n *Network) answerOne(l *link) error {
	l.reader.limit = 1 + maxCall
	k, request, err := l.reader.next()
	if err != nil {
		return err
	}
	return n.answer(nil, l, k, request)
}

// answer answers a request; p is nil for a node that is not a member yet.
func (n *Network) answer(p *peer, l *link, k kind, request []byte) error {
	if k != kindRequest || n.handler == nil {
		return fmt.Errorf("%w: kind %d of %d bytes", ErrFrame, k, len(request))
	}
	select {
	case n.calls <- struct{}{}:
		defer func() { <-n.calls }()
	default:
		return fmt.Errorf("%w: too many requests", ErrBusy)
	}
	from := NodeID(0)
	if p != nil {
		from = p.id
		p.hear()
	}
	ctx, cancel := context.WithTimeout(n.ctx, callTime)
	defer cancel()
	answer, err := n.handler(ctx, from, request)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return l.send(kindAnswer, answer, n.cfg.Silence)
}

// Stranger is a node that is not a member yet.
type Stranger struct {
	// Name is its name, which its credentials prove; nil means no TLS.
	Name        string
	Secrets     *secret.Ring
	Credentials *Credentials
	// Dial opens a connection; nil means TCP.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
}

// Ask asks the node called name at an address, which must be a member.
func (s Stranger) Ask(ctx context.Context, name, addr string, request []byte) ([]byte, error) {
	answer, err := s.ask(ctx, name, addr, request)
	if err != nil {
		return nil, fmt.Errorf("ask node %s at %s: %w", name, addr, err)
	}
	return answer, nil
}

func (s Stranger) ask(ctx context.Context, name, addr string, request []byte) ([]byte, error) {
	n := &Network{cfg: Config{Node: Peer{Name: s.Name}, Secrets: s.Secrets, Credentials: s.Credentials, Dial: s.Dial}.withDefaults()}
	shaking, cancel := context.WithTimeout(ctx, n.cfg.Handshake)
	defer cancel()
	raw, err := n.cfg.Dial(shaking, addr)
	if err != nil {
		return nil, err
	}
	defer raw.Close()
	defer context.AfterFunc(ctx, func() { raw.Close() })()
	stop := context.AfterFunc(shaking, func() { raw.Close() })
	c, err := n.secure(shaking, raw, func(c net.Conn) *tls.Conn { return tls.Client(c, s.Credentials.Client(name)) })
	if err != nil {
		return nil, err
	}
	said, err := proof.Dial(c, n.port(c, addr), n.greeting(forJoin, 0))
	if err != nil {
		return nil, unfinished(err)
	}
	g, err := decodeGreeting(said)
	if err != nil {
		return nil, err
	}
	if g.from.Name != name {
		return nil, fmt.Errorf("%w: %v answers", ErrNode, g.from)
	}
	if !stop() {
		return nil, shaking.Err()
	}
	return n.link(c, era{}, maxCall).ask(ctx, request, n.cfg.Silence)
}
