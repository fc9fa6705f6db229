package actors

import (
	"time"

	"ssod/actors/event"
	"ssod/cluster"
)

// eventsLevel is the format level of the cluster from which on commits can carry events.
const eventsLevel = 2

// Outbox makes events of what entities decide.
type Outbox interface {
	// Wants reports whether anybody wants to be told of anything, so that facts need not be
	// stated otherwise. It is called for every change.
	Wants() bool
	// Events are those of the facts of one commit, which leaves the entity at the revision.
	Events(of cluster.Entity, rev uint64, at time.Time, facts []event.Fact) []cluster.Event
}

// tell adds the events of a commit whose entity and revision are known.
func (a *activation) tell(c *cluster.Commit, facts event.Teller) *cluster.Commit {
	r := a.lead.runtime
	if facts == nil || r.outbox == nil || !r.outbox.Wants() || r.level() < eventsLevel {
		return c
	}
	if told := facts(); len(told) > 0 {
		c.Events = r.outbox.Events(c.Entity, c.BaseRev+1, a.lead.handle.Now(), told)
	}
	return c
}
