package replica

import (
	"runtime"
	"time"

	"ssod/cluster/replica/core"
)

// run is the loop: it takes inputs, does rounds and hands out their jobs. Nothing in it
// waits for the disk or the network.
func (e *Engine) run() {
	ticker := time.NewTicker(e.cfg.Tick)
	defer ticker.Stop()
	defer e.end()
	var first func(*core.Core)
	for {
		e.disk.looped.Store(e.disk.now())
		e.advance(first)
		e.appends.nudge()
		e.applies.nudge()
		select {
		case <-e.stop:
			return
		case <-ticker.C:
			first = e.tick
		case <-e.inbox.wake:
			runtime.Gosched() // let other commits come along: fewer, larger entries
			first = nil
		}
	}
}

// advance is one turn: it does first, hands the core all inputs and does rounds. The loop,
// a writer that has finished something and the receiver of a frame call it, so that they
// need not wake each other. The caller nudges the queues.
func (e *Engine) advance(first func(*core.Core)) {
	e.turn.Lock()
	e.concludeLater(e.advanceHeld(first))
}

// advanceHeld is advance with the turn taken, which it gives back. It returns the barriers
// that have ended, for the caller to conclude.
func (e *Engine) advanceHeld(first func(*core.Core)) (ended []*reading) {
	defer e.turn.Unlock()
	defer func() { ended, e.concluded = e.concluded, nil }()
	defer e.broken()
	if e.ended {
		return nil
	}
	if first != nil {
		first(e.core)
	}
	e.inbox.drain(e.core)
	e.round()
	return nil
}

// round does rounds until there is nothing left to do, and queues their jobs in order.
func (e *Engine) round() {
	for e.core.Pending() {
		out := e.core.Round()
		// Handles end before anything leaves that could let another node lead.
		e.views.update(out.Leaderships, e)
		e.send(out.Messages)
		e.sendFences(out.Fences)
		if out.Append != nil {
			e.appends.put(out.Append, e.disk.now())
		}
		if out.Apply != nil {
			e.applies.put(out.Apply, e.disk.now())
		}
		for _, j := range out.Installs {
			e.others.Go(func() { e.install(j) })
		}
		for _, s := range out.Snapshots {
			e.exported++
			n := e.exported
			e.others.Go(func() { e.sendSnapshot(s, n) })
		}
		for _, d := range out.Destroys {
			e.destroy(d)
		}
	}
}

// send packs the messages to each node into as few frames as they fit.
func (e *Engine) send(messages map[core.NodeID][]core.Envelope) {
	if e.cfg.Transport == nil {
		return
	}
	for to, all := range messages {
		for es := range core.Frames(e.spoken(all)) {
			frame, err := core.AppendFrame(e.cfg.Transport.Spare(), es)
			if err != nil {
				e.fail(err)
				return
			}
			core.MarkFrame(frame, e.cfg.Level())
			e.cfg.Transport.Send(to, frame)
		}
	}
}

// sendFences packs one frame per node.
func (e *Engine) sendFences(fences map[core.NodeID][]core.Fence) {
	if e.cfg.Transport == nil {
		return
	}
	for to, fs := range fences {
		e.cfg.Transport.Send(to, core.AppendFences(nil, e.spokenFences(fs)))
	}
}

// end answers what still waits when the loop stops.
func (e *Engine) end() {
	e.turn.Lock()
	conclude(e.endHeld())
}

func (e *Engine) endHeld() (ended []*reading) {
	defer e.turn.Unlock()
	if e.ended {
		return nil // by a broken invariant
	}
	defer func() { ended, e.concluded = e.concluded, nil }()
	defer e.broken()
	e.ended = true
	e.inbox.close(e.core)
	e.core.Close()
	e.views.update(e.core.Round().Leaderships, e)
	return nil
}
