package core

// outbox is what the next round sends. Its memory is reused.
type outbox struct {
	to    map[NodeID][]Envelope
	full  bool
	taken bool // by the last round
}

func (o *outbox) add(to NodeID, e Envelope) {
	o.empty()
	if o.to == nil {
		o.to = make(map[NodeID][]Envelope)
	}
	o.to[to] = append(o.to[to], e)
	o.full = true
}

func (o *outbox) of(to NodeID) []Envelope {
	o.empty()
	return o.to[to]
}

// take returns the messages, which are valid until the next call.
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
		clear(es) // they keep entries alive
		o.to[to] = es[:0]
	}
	o.taken = false
}
