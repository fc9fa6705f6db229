package transport

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"ssod/cluster/wait"
)

// accept takes connections until the network is closed.
func (n *Network) accept() {
	for n.ctx.Err() == nil {
		raw, err := n.listener.Accept()
		if err != nil {
			n.recover(err)
			continue
		}
		g := n.porch.enter(raw, n.knows)
		n.tasks.Go(func() { n.serve(raw, g) })
	}
}

// recover waits a little after Accept failed, as it does when there are no file
// descriptors left.
func (n *Network) recover(err error) {
	if errors.Is(err, net.ErrClosed) {
		return
	}
	n.cfg.Log.Error("node connections are not accepted", "error", err)
	_ = wait.Pause(n.ctx, firstPause) // it ends with the network
}

// serve serves a connection.
func (n *Network) serve(raw net.Conn, guest *guest) {
	defer raw.Close()
	defer context.AfterFunc(n.ctx, func() { raw.Close() })()
	proven := false
	l, g, err := n.admit(n.ctx, raw, func() { proven = true; n.porch.leave(guest) })
	if !proven && !n.porch.leave(guest) {
		return // it was evicted
	}
	if err == nil {
		err = n.stream(g, l)
	}
	if n.ctx.Err() == nil && err != nil {
		n.refuse(l, raw, err)
	}
}

// stream serves a connection by its purpose. A node that has yet to join is no peer,
// whatever id it claims.
func (n *Network) stream(g greeting, l *link) error {
	if g.purpose == forJoin {
		return n.answerOne(l)
	}
	p := n.peer(g.from.ID)
	if p == nil {
		return nil
	}
	p.source.Store(sourceOf(l.raw))
	defer context.AfterFunc(l.era, func() { l.Close() })()
	p.retry() // it is there
	return n.streams[g.purpose](p, g, l)
}

// refuse counts and logs a refusal, and sends the reason to a node that was greeted. It
// is counted first, so that whoever heard of it finds it in the metrics.
func (n *Network) refuse(l *link, raw net.Conn, err error) {
	n.refusals.Count(err)
	if l != nil && !gone(err) {
		_ = l.send(kindRefusal, encodeRefusal(err), n.cfg.Handshake)
	}
	n.refused.Do(func() {
		n.cfg.Log.Warn("a connection was ended", "from", raw.RemoteAddr().String(), "error", err)
	})
}

// receive takes the frames of a node.
func (n *Network) receive(p *peer, g greeting, l *link) error {
	in := p.replace(l, g.from.Addr)
	defer close(in.done)
	for {
		k, b, err := l.reader.next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case k == kindRaft:
			err = n.deliver(p, b)
		case k == kindPing && len(b) == 2*stamp:
			p.progress(binary.BigEndian.Uint64(b[stamp:]))
			if err = n.permitted(g.from, l.socket); err == nil { // the registry may have changed
				err = n.pong(in, b[:stamp])
			}
		default:
			err = fmt.Errorf("%w: kind %d of %d bytes", ErrFrame, k, len(b))
		}
		if err != nil {
			return err
		}
		p.hear()
	}
}

func (n *Network) deliver(p *peer, frame []byte) error {
	if err := n.engine.Deliver(p.id, frame); err != nil {
		return fmt.Errorf("%w: frame of %d bytes from node %d: %w", ErrRefused, len(frame), p.id, err)
	}
	return nil
}

// pong answers a ping with the stamp in it and this node's clock, twice. If another process
// was refused as the node, it sends the address of that first.
func (n *Network) pong(l *incoming, ping []byte) error {
	var b [3 * stamp]byte
	now := n.cfg.Clock().UnixNano()
	if addr := l.copied.Swap(nil); addr != nil {
		if err := l.send(kindCopied, []byte(*addr), n.cfg.Silence); err != nil {
			return err
		}
	}
	return l.send(kindPong, appendStamp(appendStamp(append(b[:0], ping...), now), now), n.cfg.Silence)
}
