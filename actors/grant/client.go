package grant

import (
	"context"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/cluster"
)

// Steps number the asks that one request sends to a grant.
const (
	stepTake = 0
	stepEnd  = 1
)

// Client asks grants, wherever they live, and carries out their intents at once, as far
// as it can; the rest is done later. Its methods fail with the errors of [actors.Asker].
type Client struct {
	Asker actors.Asker
}

// Take takes the tokens of a login on a lease of [Lease].
func (c Client) Take(ctx context.Context, request cluster.RequestID, id ID, lease []byte) (*TakeReply, error) {
	reply, err := actors.Ask[*TakeReply](ctx, c.Asker, id.Address(), request, stepTake, &Take{Lease: lease})
	c.run(ctx, id, reply.GetOpen())
	return reply, err
}

// Put ends a lease with new tokens; false when the lease does not count any more. The
// copies of the login have what the provider said when it returns, as far as they could be
// reached.
func (c Client) Put(ctx context.Context, request cluster.RequestID, id ID, m *Put) (kept bool, err error) {
	reply, err := actors.Ask[*PutReply](ctx, c.Asker, id.Address(), request, stepEnd, m)
	c.run(ctx, id, reply.GetOpen())
	return err == nil && !reply.GetLost(), err
}

// Release ends a lease under which the tokens were certainly not used.
func (c Client) Release(ctx context.Context, request cluster.RequestID, id ID, m *Release) error {
	_, err := actors.Ask[*ReleaseReply](ctx, c.Asker, id.Address(), request, stepEnd, m)
	return err
}

// Lose ends a lease after which the tokens are worth nothing, and with it the login.
func (c Client) Lose(ctx context.Context, request cluster.RequestID, id ID, lease []byte) error {
	reply, err := actors.Ask[*LoseReply](ctx, c.Asker, id.Address(), request, stepEnd, &Lose{Lease: lease})
	c.run(ctx, id, reply.GetOpen())
	return err
}

// Drop forgets the tokens of a login, which goes on without.
func (c Client) Drop(ctx context.Context, request cluster.RequestID, id ID) error {
	_, err := actors.Ask[*DropReply](ctx, c.Asker, id.Address(), request, stepEnd, &Drop{})
	return err
}

// run carries out intents as far as it can.
func (c Client) run(ctx context.Context, id ID, open []*intent.Intent) {
	_ = intent.Run(ctx, c.Asker, id.Address(), open) // the grant does the rest
}
