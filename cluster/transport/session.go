package transport

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// session dials the peer and sends the queue until something fails. Frames that are queued
// while it dials are not lost if that succeeds.
func (p *peer) session() error {
	to := p.target()
	if to.Addr == "" {
		return fmt.Errorf("%w: no address", ErrUnknownNode)
	}
	p.queue.set(true)
	l, err := p.n.connect(p.ctx, to, forFrames)
	if err != nil {
		return err
	}
	defer l.Close()
	p.begun()
	g, ctx := errgroup.WithContext(l.era)
	defer context.AfterFunc(ctx, func() { l.Close() })()
	g.Go(func() error { return p.write(ctx, l) })
	g.Go(func() error { return p.listen(l) })
	return g.Wait()
}

func (p *peer) begun() {
	p.connected.Store(true)
	p.asked.Store(true)
	p.lost, p.said, p.shut = false, "", time.Time{}
	select {
	case <-p.wake: // from before
	default:
	}
	p.n.cfg.Log.Info("connected to node", "node", p.name, "id", p.id)
}

// write sends frames and pings, all that wait in one write.
func (p *peer) write(ctx context.Context, l *link) error {
	ticker := time.NewTicker(p.n.cfg.Ping)
	defer ticker.Stop()
	var frames [][]byte
	var err error
	for due := true; ; {
		if due {
			err = p.ping(l)
		}
		if err == nil {
			frames = p.queue.take(frames)
			err = p.writeAll(l, frames, ticker.C)
		}
		if err == nil {
			err = l.flush()
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
			due = true
		case <-p.doubted:
			due = true
		case <-p.queue.wake:
			due = false
		}
	}
}

// writeAll puts frames, and pings between them when one is due.
func (p *peer) writeAll(l *link, frames [][]byte, due <-chan time.Time) error {
	for i, f := range frames {
		select {
		case <-due:
			if err := p.ping(l); err != nil {
				return err
			}
		default:
		}
		if err := l.writer.put(kindRaft, f, nil); err != nil {
			return err
		}
		frames[i] = nil
		p.queue.written(len(f))
		p.n.sent(f)
	}
	return nil
}

// ping asks for the other clock, if the node is still permitted.
func (p *peer) ping(l *link) error {
	if err := p.n.permitted(p.target(), l.socket); err != nil {
		return err
	}
	var b [2 * stamp]byte
	payload := binary.BigEndian.AppendUint64(appendStamp(b[:0], int64(p.n.up())), p.n.cfg.Durable())
	return l.writer.put(kindPing, payload, nil)
}

// listen reads pongs, one per ping. When none comes within [Config.Silence] the read fails,
// which ends the session.
func (p *peer) listen(l *link) error {
	for {
		k, b, err := l.reader.next()
		if err != nil {
			return err
		}
		switch {
		case k == kindPong && len(b) == 3*stamp:
			p.clock.add(time.Duration(stampAt(b)), time.Unix(0, stampAt(b[stamp:])), time.Unix(0, stampAt(b[2*stamp:])), p.n.up())
			p.hear()
		case k == kindCopied:
			p.n.cfg.Copied(p.target(), string(b))
		case k == kindRefusal:
			return decodeRefusal(b)
		default:
			return fmt.Errorf("%w: kind %d of %d bytes", ErrFrame, k, len(b))
		}
	}
}
