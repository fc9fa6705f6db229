package replica

import (
	"runtime"
	"time"

	"ssod/cluster/replica/core"
)

// run is the loop: it takes what has come, does a round and hands out what the
// round wants done. Nothing in it waits for the disk or for the network.
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
			// Whoever is about to commit comes along: fewer, larger entries.
			runtime.Gosched()
			first = nil
		}
	}
}

// advance is one turn: it does first, hands the core what has come and does
// rounds. The core belongs to whoever has the turn, which is the loop, a writer
// that has finished something, or who brings a frame; so these need not wake the
// loop and be woken by it. What a round puts into the queues is left to the caller.
func (e *Engine) advance(first func(*core.Core)) {
	e.turn.Lock()
	e.concludeBeside(e.advanceHeld(first))
}

// advanceHeld is advance for who has taken the turn, and gives it back. It returns the
// barriers that have ended, which the caller concludes: not with the turn.
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

// round does rounds until there is nothing left to do. Jobs get into the queues
// in the order of the rounds, because the turn is held.
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
			e.beside.Go(func() { e.install(j) })
		}
		for _, s := range out.Snapshots {
			e.exported++
			n := e.exported
			e.beside.Go(func() { e.sendSnapshot(s, n) })
		}
		for _, d := range out.Destroys {
			e.destroy(d)
		}
	}
}

// send packs one frame per node, or some if there is much.
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
		return nil // by a broken invariant: the core answers nothing any more
	}
	defer func() { ended, e.concluded = e.concluded, nil }()
	defer e.broken()
	e.ended = true
	e.inbox.close(e.core)
	e.core.Close()
	e.views.update(e.core.Round().Leaderships, e)
	return nil
}
