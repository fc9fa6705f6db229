package logout

import (
	"cmp"
	"context"
	"errors"

	"ssod/actors"
	"ssod/cluster"
)

// ErrUsed: the URL was used before, is too old, or never was.
var ErrUsed = errors.New("the logout URL is not usable any more")

// Client asks logouts, wherever they live. Its methods fail with [ErrUsed], or with the
// errors of [actors.Asker].
type Client struct {
	Asker actors.Asker
}

// Create prepares a logout.
func (c Client) Create(ctx context.Context, request cluster.RequestID, id ID, m *Create) error {
	_, err := actors.Ask[*CreateReply](ctx, c.Asker, id.Address(), request, 0, m)
	return err
}

// Take uses a logout and returns what the MVPD must be told.
func (c Client) Take(ctx context.Context, request cluster.RequestID, id ID) (mvpd string, account []byte, err error) {
	reply, err := actors.Ask[*TakeReply](ctx, c.Asker, id.Address(), request, 0, &Take{})
	return reply.GetMvpd(), reply.GetAccount(), cmp.Or(err, used(reply.GetRefused()))
}

// Back returns where a browser goes that comes back from the MVPD.
func (c Client) Back(ctx context.Context, request cluster.RequestID, id ID) (string, error) {
	reply, err := actors.Ask[*BackReply](ctx, c.Asker, id.Address(), request, 0, &Back{})
	return reply.GetRedirectUrl(), cmp.Or(err, used(reply.GetRefused()))
}

func used(refused bool) error {
	if refused {
		return ErrUsed
	}
	return nil
}
