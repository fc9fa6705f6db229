package device

import (
	"context"
	"fmt"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/cluster"
)

// Steps number the asks that one request sends to a device. Together with the
// request id they make a repeated ask find its first answer.
const (
	stepLogins     = 0
	stepBegin      = 1
	stepLeave      = 2
	stepInvalidate = 3
)

// Client asks devices, wherever they live, and carries out their intents at once, as far
// as it can; the rest is done later.
type Client struct {
	Asker actors.Asker
}

// Begin makes a session the device's current one.
func (c Client) Begin(ctx context.Context, request cluster.RequestID, id ID, m *Begin) error {
	reply, err := actors.Ask[*BeginReply](ctx, c.Asker, id.Address(), request, stepBegin, m)
	c.run(ctx, id, reply.GetOpen())
	return err
}

// Logins returns the device's logins; some may have expired or be void.
func (c Client) Logins(ctx context.Context, request cluster.RequestID, id ID) ([]*login.Login, error) {
	reply, err := actors.Ask[*LoginsReply](ctx, c.Asker, id.Address(), request, stepLogins, &Logins{})
	return reply.GetLogins(), err
}

// Leave logs out. It fails with [actors.ErrOverloaded] when the device has too many open
// intents.
func (c Client) Leave(ctx context.Context, request cluster.RequestID, id ID, m *Leave) error {
	reply, err := actors.Ask[*LeaveReply](ctx, c.Asker, id.Address(), request, stepLeave, m)
	switch {
	case err != nil:
		return err
	case reply.Busy:
		return fmt.Errorf("leave: %w", actors.ErrOverloaded)
	}
	return intent.Run(ctx, c.Asker, id.Address(), reply.Open)
}

// Invalidate marks a login void, here and wherever else it is kept.
func (c Client) Invalidate(ctx context.Context, request cluster.RequestID, id ID, l *login.Login) error {
	m := &login.End{Mvpd: l.GetMvpd(), Login: l.GetId(), How: login.How_INVALIDATED}
	reply, err := actors.Ask[*login.EndReply](ctx, c.Asker, id.Address(), request, stepInvalidate, m)
	c.run(ctx, id, reply.GetOpen())
	return err
}

// run carries out intents as far as it can.
func (c Client) run(ctx context.Context, id ID, open []*intent.Intent) {
	_ = intent.Run(ctx, c.Asker, id.Address(), open) // the device does the rest
}
