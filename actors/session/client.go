package session

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/cluster"
)

// Steps number the asks that one request sends to a session. Together with the
// request id they make a repeated ask find its first answer.
const (
	stepOnly   = 0
	stepFinish = 1 // after an Open
)

// Client asks sessions, wherever they live. Its methods fail with the errors of
// this package, or with those of [actors.Asker].
type Client struct {
	Asker actors.Asker
}

// Create begins a session. Fails with ErrTaken.
func (c Client) Create(ctx context.Context, request cluster.RequestID, id ID, m *Create) (*CreateReply, error) {
	reply, err := ask[*CreateReply](ctx, c, request, id, stepOnly, m)
	if err != nil {
		return nil, err
	}
	return reply, asError(reply.Failure)
}

// Amend adds parameters and returns the session. Fails with ErrUnknown or
// ErrOver.
func (c Client) Amend(ctx context.Context, request cluster.RequestID, id ID, p *Parameters) (*View, error) {
	return c.view(ctx, request, id, &Amend{Parameters: p})
}

// Read returns a session that can be used or was finished. When its login is
// still on the way to the device, it is brought there first. Fails with
// ErrUnknown or ErrOver.
func (c Client) Read(ctx context.Context, request cluster.RequestID, id ID) (*View, error) {
	v, err := c.view(ctx, request, id, &Read{})
	if err == nil {
		c.run(ctx, id, v.Open)
	}
	return v, err
}

func (c Client) view(ctx context.Context, request cluster.RequestID, id ID, m proto.Message) (*View, error) {
	reply, err := ask[*View](ctx, c, request, id, stepOnly, m)
	if err != nil {
		return nil, err
	}
	return reply, asError(reply.Failure)
}

// Open says whether somebody may log in in a browser, or did so before. Fails with
// ErrUnknown, ErrOver or ErrIncomplete.
func (c Client) Open(ctx context.Context, request cluster.RequestID, id ID, m *Open) (*OpenReply, error) {
	reply, err := ask[*OpenReply](ctx, c, request, id, stepOnly, m)
	if err != nil {
		return nil, err
	}
	return reply, asError(reply.Failure)
}

// Finish ends the session with a login and brings that to the device and to
// those it is shared with; what that fails at is done later. Fails with
// ErrUnknown or ErrOver.
func (c Client) Finish(ctx context.Context, request cluster.RequestID, id ID, m *Finish) error {
	reply, err := ask[*FinishReply](ctx, c, request, id, stepFinish, m)
	if err != nil {
		return err
	}
	c.run(ctx, id, reply.Open)
	return asError(reply.Failure)
}

// Decline ends the session without a login. Fails with ErrUnknown or ErrOver.
func (c Client) Decline(ctx context.Context, request cluster.RequestID, id ID) error {
	reply, err := ask[*DeclineReply](ctx, c, request, id, stepFinish, &Decline{})
	if err != nil {
		return err
	}
	return asError(reply.Failure)
}

// run carries out intents as far as it can.
func (c Client) run(ctx context.Context, id ID, open []*intent.Intent) {
	_ = intent.Run(ctx, c.Asker, id.Address(), open) // the session sees to the rest
}

// ask sends a command and expects an answer of type R.
func ask[R proto.Message](ctx context.Context, c Client, request cluster.RequestID, id ID, step uint32, command proto.Message) (R, error) {
	var none R
	reply, err := c.Asker.Ask(ctx, id.Address(), request, step, command)
	if err != nil {
		return none, fmt.Errorf("ask session for %s: %w", command.ProtoReflect().Descriptor().Name(), err)
	}
	r, ok := reply.(R)
	if !ok {
		return none, fmt.Errorf("ask session for %s: got a %T", command.ProtoReflect().Descriptor().Name(), reply)
	}
	return r, nil
}
