package replica

import "ssod/cluster/replica/core"

// broken is deferred where the core works, under the turn. A broken invariant ends the
// engine: the core is not touched again.
func (e *Engine) broken() {
	if r := recover(); r != nil {
		e.ended = true
		e.fail(core.Broken(r))
	}
}

// brokenOutside is broken without the turn.
func (e *Engine) brokenOutside() {
	if r := recover(); r != nil {
		err := core.Broken(r)
		e.turn.Lock()
		defer e.turn.Unlock()
		e.ended = true
		e.fail(err)
	}
}
