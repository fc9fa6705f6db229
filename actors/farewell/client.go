package farewell

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/cluster"
)

// ErrUsed: the URL was used before, is too old, or never was.
var ErrUsed = errors.New("the logout URL is not usable any more")

// Client asks farewells, wherever they live. Its methods fail with [ErrUsed], or
// with the errors of [actors.Asker].
type Client struct {
	Asker actors.Asker
}

// Create prepares a farewell.
func (c Client) Create(ctx context.Context, request cluster.RequestID, id ID, m *Create) error {
	_, err := ask[*CreateReply](ctx, c, request, id, m)
	return err
}

// Take uses a farewell and returns what the MVPD must be told.
func (c Client) Take(ctx context.Context, request cluster.RequestID, id ID) (mvpd string, account []byte, err error) {
	reply, err := ask[*TakeReply](ctx, c, request, id, &Take{})
	if err == nil && reply.Refused {
		err = ErrUsed
	}
	if err != nil {
		return "", nil, err
	}
	return reply.Mvpd, reply.Account, nil
}

// Back returns where the browser belongs that comes back from the MVPD.
func (c Client) Back(ctx context.Context, request cluster.RequestID, id ID) (string, error) {
	reply, err := ask[*BackReply](ctx, c, request, id, &Back{})
	if err == nil && reply.Refused {
		err = ErrUsed
	}
	if err != nil {
		return "", err
	}
	return reply.RedirectUrl, nil
}

// ask sends a command and expects an answer of type R.
func ask[R proto.Message](ctx context.Context, c Client, request cluster.RequestID, id ID, command proto.Message) (R, error) {
	var none R
	reply, err := c.Asker.Ask(ctx, id.Address(), request, 0, command)
	if err != nil {
		return none, fmt.Errorf("ask farewell for %s: %w", command.ProtoReflect().Descriptor().Name(), err)
	}
	r, ok := reply.(R)
	if !ok {
		return none, fmt.Errorf("ask farewell for %s: got a %T", command.ProtoReflect().Descriptor().Name(), reply)
	}
	return r, nil
}

// Farewells hold who a viewer is at an MVPD. A log shows only what kind of
// message it was.

func redacted(name string) slog.Value { return slog.StringValue("farewell." + name) }

// LogValue keeps the contents out of logs.
func (*State) LogValue() slog.Value { return redacted("State") }

// LogValue keeps the contents out of logs.
func (*Create) LogValue() slog.Value { return redacted("Create") }

// LogValue keeps the contents out of logs.
func (*TakeReply) LogValue() slog.Value { return redacted("TakeReply") }

// LogValue keeps the contents out of logs.
func (*BackReply) LogValue() slog.Value { return redacted("BackReply") }
