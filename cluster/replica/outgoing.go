package replica

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"ssod/cluster"
	"ssod/cluster/replica/core"
)

// retryTicks is the delay before a failed snapshot is tried again: a node without room or
// time should not be asked five times a second.
const retryTicks = 10

// outgoing is a snapshot that is sent to a replica.
type outgoing struct {
	e    *Engine
	send core.SnapshotSend
	name string
	made bool         // its file is there
	rate atomic.Int64 // the least, in bytes per second
}

// sends are the snapshots that are being sent.
type sends struct {
	mu  sync.Mutex
	all map[*outgoing]struct{}
}

func (s *sends) begin(o *outgoing) (end func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = make(map[*outgoing]struct{})
	}
	s.all[o] = struct{}{}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.all, o)
	}
}

// hasten sends snapshots at twice the rate at which their shards are written to. The
// caller has the turn.
func (s *sends) hasten(c *core.Core, tick time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for o := range s.all {
		o.rate.Store(2 * int64(c.WriteRate(o.send.Shard)) * int64(time.Second) / int64(tick))
	}
}

// sendSnapshot sends a shard to a replica and reports the result, a failure after a delay.
func (e *Engine) sendSnapshot(s core.SnapshotSend, number uint64) {
	o := &outgoing{e: e, send: s, name: fmt.Sprintf("%d-%d-%d-%d", s.Shard, e.cfg.Node, s.Message.GetTerm(), number)}
	err := o.carry()
	if err == nil {
		e.meters.snapshot("sent")
	} else {
		e.meters.snapshot("failed")
		e.pause(retryTicks)
	}
	e.inbox.input(func(c *core.Core) { c.SnapshotSent(s.Shard, s.To, err == nil) })
}

// pause waits for some ticks, or until the engine is closed.
func (e *Engine) pause(ticks time.Duration) {
	timer := time.NewTimer(ticks * e.cfg.Tick)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-e.stop:
	}
}

// carry sends the snapshot when it is its turn.
func (o *outgoing) carry() error {
	e, shard := o.e, o.send.Shard
	if e.cfg.Transport == nil {
		return errClosed
	}
	e.sending <- struct{}{}
	defer func() { <-e.sending }()
	if !e.speaks(shard) {
		return errMute
	}
	size, err := e.cfg.Log.SnapshotSize(shard)
	if err != nil {
		return err
	}
	defer e.sends.begin(o)()
	defer o.discard()
	return e.cfg.Transport.SendSnapshot(o.send.To.Node(), &cluster.Snapshot{
		Name: o.name, Size: size, Rate: func() int { return int(o.rate.Load()) },
		Make: func() (io.ReadCloser, []byte, error) { return o.export(size) },
	})
}

// export makes the file and its message.
func (o *outgoing) export(size uint64) (io.ReadCloser, []byte, error) {
	e, s := o.e, &o.send
	end := e.disk.side.begin(e.disk.now())
	a, err := e.cfg.Log.Export(s.Shard, o.name)
	end()
	if err != nil {
		return nil, nil, err
	}
	o.made = true
	e.inbox.input(func(c *core.Core) { c.SnapshotExported(s.Shard, s.To, a.Index, int(size)) })
	s.Fill(a, o.name)
	frame, err := core.AppendFrame(nil, []core.Envelope{{Shard: s.Shard, Message: s.Message}})
	if err != nil {
		return nil, nil, err
	}
	core.MarkFrame(frame, e.cfg.Level())
	file, err := e.cfg.Log.OpenSnapshot(o.name)
	return file, frame, err
}

// discard removes the file; if that fails [Log.Tidy] does at the next start.
func (o *outgoing) discard() {
	if o.made {
		_ = o.e.cfg.Log.DiscardSnapshot(o.name)
	}
}
