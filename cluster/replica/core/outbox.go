package core

// outbox is what the next round sends. Its room is used again.
type outbox struct {
	to   map[NodeID][]Envelope
	full bool
	// taken: the last round has what is in it.
	taken bool
}

func (o *outbox) add(to NodeID, e Envelope) {
	o.empty()
	if o.to == nil {
		o.to = make(map[NodeID][]Envelope)
	}
	o.to[to] = append(o.to[to], e)
	o.full = true
}

// of is what there is for a node.
func (o *outbox) of(to NodeID) []Envelope {
	o.empty()
	return o.to[to]
}

// take hands out what is in it, which is valid until the next message is added or
// taken.
func (o *outbox) take() map[NodeID][]Envelope {
	o.empty()
	if !o.full {
		return nil
	}
	o.full, o.taken = false, true
	return o.to
}

// empty forgets what was taken.
func (o *outbox) empty() {
	if !o.taken {
		return
	}
	for to, es := range o.to {
		clear(es) // or they keep entries alive
		o.to[to] = es[:0]
	}
	o.taken = false
}
