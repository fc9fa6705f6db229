package replica

import (
	"runtime"
	"time"

	"ssod/cluster/replica/core"
)

// run is the loop: it takes what has come, does one round and hands out what
// the round wants done. Nothing in it waits for the disk or for the network.
func (e *Engine) run() {
	ticker := time.NewTicker(e.cfg.Tick)
	defer ticker.Stop()
	defer e.end()
	e.round()
	for {
		select {
		case <-e.stop:
			return
		case <-ticker.C:
			e.core.Tick()
		case <-e.inbox.wake:
			// Whoever is about to commit comes along: fewer, larger entries.
			runtime.Gosched()
		}
		e.inbox.drain(e.core)
		e.round()
	}
}

// round does rounds until there is nothing left to do.
func (e *Engine) round() {
	for e.core.Pending() {
		out := e.core.Round()
		// Handles end before anything leaves that could let another node lead.
		e.views.update(out.Leaderships, e)
		e.send(out.Messages)
		if out.Append != nil {
			e.append.put(out.Append)
		}
		if out.Apply != nil {
			e.apply.put(out.Apply)
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
			if err := e.cfg.Log.Destroy(d.Shard, d.ID); err != nil {
				e.fail(err)
			}
		}
	}
}

// send packs one frame per node.
func (e *Engine) send(messages map[core.NodeID][]core.Envelope) {
	if e.cfg.Transport == nil {
		return
	}
	for to, es := range messages {
		frame, err := core.AppendFrame(nil, es)
		if err != nil {
			e.fail(err)
			return
		}
		e.cfg.Transport.Send(to, frame)
	}
}

// end answers what still waits when the loop stops.
func (e *Engine) end() {
	e.inbox.close(e.core)
	e.core.Close()
	e.views.update(e.core.Round().Leaderships, e)
}
