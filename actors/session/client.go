package session

import (
	"cmp"
	"context"

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
	reply, err := actors.Ask[*CreateReply](ctx, c.Asker, id.Address(), request, stepOnly, m)
	return reply, cmp.Or(err, asError(reply.GetFailure()))
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
	reply, err := actors.Ask[*View](ctx, c.Asker, id.Address(), request, stepOnly, m)
	return reply, cmp.Or(err, asError(reply.GetFailure()))
}

// Open says whether a viewer may log in in a browser, or did so before. Fails with
// ErrUnknown, ErrOver or ErrIncomplete; with ErrOver the reply has the stage.
func (c Client) Open(ctx context.Context, request cluster.RequestID, id ID, m *Open) (*OpenReply, error) {
	reply, err := actors.Ask[*OpenReply](ctx, c.Asker, id.Address(), request, stepOnly, m)
	return reply, cmp.Or(err, asError(reply.GetFailure()))
}

// Finish ends the session with a login and brings it to the device and to those it is
// shared with, as far as possible; the rest is done later. Fails with ErrUnknown or
// ErrOver.
func (c Client) Finish(ctx context.Context, request cluster.RequestID, id ID, m *Finish) error {
	reply, err := actors.Ask[*FinishReply](ctx, c.Asker, id.Address(), request, stepFinish, m)
	c.run(ctx, id, reply.GetOpen())
	return cmp.Or(err, asError(reply.GetFailure()))
}

// Decline ends the session without a login. Fails with ErrUnknown or ErrOver.
func (c Client) Decline(ctx context.Context, request cluster.RequestID, id ID) error {
	reply, err := actors.Ask[*DeclineReply](ctx, c.Asker, id.Address(), request, stepFinish, &Decline{})
	return cmp.Or(err, asError(reply.GetFailure()))
}

// run carries out intents as far as it can.
func (c Client) run(ctx context.Context, id ID, open []*intent.Intent) {
	_ = intent.Run(ctx, c.Asker, id.Address(), open) // the session does the rest
}
