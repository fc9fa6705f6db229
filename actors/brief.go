package actors

// brief reports whether the turn, of another node, can be expected not to wait: it only
// reads, or the entity never waits.
func (t *Turn) brief() bool {
	return t.state.past < repeated && (t.entity.kind.Brief || t.entity.lease.fenced(t))
}

// runBriefly runs a turn in a goroutine that must not wait, which has other things to
// do: that of a connection or of a barrier. It does so if the entity is loaded and does
// nothing; a turn that turns out to commit is delivered again to a worker.
func (a *activation) runBriefly(t *Turn) bool {
	if !a.mailbox.claim() {
		return false
	}
	defer a.mailbox.release()
	if a.entity == nil {
		return false
	}
	t.borrowed = true
	a.mailbox.handle(t)
	t.borrowed = false // it may have been deferred
	return true
}
