package replica

import "ssod/cluster/replica/core"

// broken is deferred where the core is at work. A broken invariant ends the
// engine: the core is not touched again. The caller holds the turn.
func (e *Engine) broken() {
	r := recover()
	if r == nil {
		return
	}
	e.ended = true
	e.fail(core.Broken(r))
}

// brokenBeside is broken for who works beside the turn.
func (e *Engine) brokenBeside() {
	r := recover()
	if r == nil {
		return
	}
	err := core.Broken(r)
	e.turn.Lock()
	defer e.turn.Unlock()
	e.ended = true
	e.fail(err)
}
