package actors

// brief reports whether a turn of another node is unlikely to wait: it only reads, or
// the entity never waits.
func (t *Turn) brief() bool {
	return t.state.past < repeated && (t.entity.kind.Brief || t.entity.lead.fenced(t))
}

// runBriefly runs a turn in a goroutine that must not wait, that of a connection or of a
// barrier, if the entity is loaded and idle. A turn that turns out to commit is delivered
// again to a worker.
func (a *activation) runBriefly(t *Turn) bool {
	if !a.mailbox.acquire() {
		return false
	}
	defer a.mailbox.release()
	if a.entity == nil {
		return false
	}
	t.borrowed = true
	a.mailbox.handle(t)
	t.borrowed = false // for a deferred turn
	return true
}
