package platform

import (
	"context"

	"ssod/httpfront/slots"
)

// Occupy makes a verifier busy, so that so many further callers may wait, until
// free is called.
func (v *Verifier) Occupy(waiting int) (free func()) {
	v.slots = slots.New(1, waiting)
	if err := v.slots.Enter(context.Background()); err != nil {
		panic(err) // the first one
	}
	return v.slots.Leave
}
