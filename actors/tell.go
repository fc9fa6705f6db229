package actors

import (
	"time"

	"ssod/actors/event"
	"ssod/cluster"
)

// Outbox makes events of what entities decide.
type Outbox interface {
	// Wants reports whether anybody wants to be told of anything, so that facts need not be
	// stated otherwise. It is called for every change.
	Wants() bool
	// Tell adds the events of facts to the commit that they are of, which has everything else.
	// The commit is valid afterwards, however much there is to tell.
	Tell(c *cluster.Commit, at time.Time, facts []event.Fact)
}

// tell adds the events of a commit that has everything else.
func (a *activation) tell(c *cluster.Commit, facts event.Teller) *cluster.Commit {
	r := a.lead.runtime
	if facts == nil || r.outbox == nil || !r.outbox.Wants() || r.level() < event.Level {
		return c
	}
	if told := facts(); len(told) > 0 {
		r.outbox.Tell(c, a.lead.handle.Now(), told)
	}
	return c
}
