package webhook

import (
	"fmt"
	"slices"
	"time"
)

// troubleAfter is how long a receiver fails before that is said.
const troubleAfter = time.Minute

// Troubles are the receivers that do not take this node's events, and why, for operators.
func (d *Dispatcher) Troubles() []string {
	if all := d.troubles.Load(); all != nil {
		return *all
	}
	return nil
}

// note notes which receivers are in trouble.
func (d *Dispatcher) note(now time.Time) {
	var all []string
	for _, r := range d.receivers {
		switch {
		case r.broken != "":
			all = append(all, fmt.Sprintf("%s of realm %s cannot be used: %s", r.name, r.realm, r.broken))
		case r.gone:
			all = append(all, fmt.Sprintf("%s of realm %s wants no more events (410): remove it, or reload to try again", r.name, r.realm))
		case r.failures >= failing && now.Sub(r.since) >= troubleAfter:
			all = append(all, fmt.Sprintf("%s of realm %s has failed since %s: %s", r.name, r.realm, r.since.UTC().Format(time.RFC3339), r.why))
		}
	}
	slices.Sort(all)
	d.troubles.Store(&all)
}
