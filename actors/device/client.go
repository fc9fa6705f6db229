package device

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

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

// Client asks devices, wherever they live, and carries out at once what they
// promise to others; what that fails at is done later.
type Client struct {
	Asker actors.Asker
}

// Begin makes a session the device's current one.
func (c Client) Begin(ctx context.Context, request cluster.RequestID, id ID, m *Begin) error {
	reply, err := ask[*BeginReply](ctx, c, request, id, stepBegin, m)
	if err != nil {
		return err
	}
	c.run(ctx, id, reply.Open)
	return nil
}

// Logins returns the device's logins; some may have expired or be void.
func (c Client) Logins(ctx context.Context, request cluster.RequestID, id ID) ([]*login.Login, error) {
	reply, err := ask[*LoginsReply](ctx, c, request, id, stepLogins, &Logins{})
	if err != nil {
		return nil, err
	}
	return reply.Logins, nil
}

// Leave logs out. It fails with [actors.ErrOverloaded] when too much of what
// the device promised to others is not done yet.
func (c Client) Leave(ctx context.Context, request cluster.RequestID, id ID, m *Leave) error {
	reply, err := ask[*LeaveReply](ctx, c, request, id, stepLeave, m)
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
	reply, err := ask[*login.EndReply](ctx, c, request, id, stepInvalidate, m)
	if err != nil {
		return err
	}
	c.run(ctx, id, reply.Open)
	return nil
}

// run carries out intents as far as it can.
func (c Client) run(ctx context.Context, id ID, open []*intent.Intent) {
	_ = intent.Run(ctx, c.Asker, id.Address(), open) // the device sees to the rest
}

// ask sends a command and expects an answer of type R.
func ask[R proto.Message](ctx context.Context, c Client, request cluster.RequestID, id ID, step uint32, command proto.Message) (R, error) {
	var none R
	reply, err := c.Asker.Ask(ctx, id.Address(), request, step, command)
	if err != nil {
		return none, fmt.Errorf("ask device for %s: %w", command.ProtoReflect().Descriptor().Name(), err)
	}
	r, ok := reply.(R)
	if !ok {
		return none, fmt.Errorf("ask device for %s: got a %T", command.ProtoReflect().Descriptor().Name(), reply)
	}
	return r, nil
}
