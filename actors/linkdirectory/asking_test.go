package linkdirectory_test

import (
	"context"
	"time"

	"ssod/actors/linkdirectory"
	"ssod/cluster"
)

// reservation is a code that a node was given.
type reservation struct {
	Code     string
	NotAfter time.Time
}

// Reserve asks the directory for a code.
func (n *node) Reserve(ctx context.Context, request cluster.RequestID, w linkdirectory.Wanted) (reservation, error) {
	reply, err := n.runtime.Ask(ctx, linkdirectory.Address(realm), request, linkdirectory.StepReserve, n.Client.Reserve(realm, "sso", "viewer", w))
	if err != nil {
		return reservation{}, err
	}
	r := reply.(*linkdirectory.ReserveReply)
	return reservation{n.Text(realm, request, r.Attempt, r.Length, r.Alphanumeric), time.UnixMilli(r.NotAfterMs)}, r.Failure.Err()
}

// target is the profile that a code leads to.
type target struct {
	Subject      string
	OtherNetwork bool
}

// Resolve asks the directory whose a code is.
func (n *node) Resolve(ctx context.Context, request cluster.RequestID, g linkdirectory.Guess) (target, error) {
	reply, err := n.runtime.Ask(ctx, linkdirectory.Address(realm), request, linkdirectory.StepResolve, n.Client.Resolve(realm, g))
	if err != nil {
		return target{}, err
	}
	r := reply.(*linkdirectory.ResolveReply)
	if err := r.Err(); err != nil {
		return target{}, err
	}
	_, subject, err := n.Owner(realm, r.Owner)
	return target{subject, r.OtherNetwork}, err
}
