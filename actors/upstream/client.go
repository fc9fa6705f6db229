package upstream

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/cluster"
)

// atOnce is how many devices are told at once that their logins have ended.
const atOnce = 8

// Client asks subjects and sessions, wherever they live, and carries out their intents at
// once, as far as it can; the rest is done later.
type Client struct {
	Asker actors.Asker
}

// End ends all logins that were issued up to a time, by the provider's clock, as it was
// heard at another, by ours, and returns how many there were. When it returns without an error all of them will end, and those
// whose nodes can be reached have. It fails with [actors.ErrOverloaded] when too many
// intents are open, with the errors of [actors.Asker], and with an [actors.LevelError]
// below format level 2.
func (c Client) End(ctx context.Context, request cluster.RequestID, id ID, issued, heard time.Time) (ended int, err error) {
	reply, err := actors.Ask[*EndReply](ctx, c.Asker, id.Address(), request, 0, &End{IssuedMs: issued.UnixMilli(), HeardMs: heard.UnixMilli()})
	switch {
	case err != nil:
		return 0, err
	case reply.GetBusy():
		return 0, fmt.Errorf("end logins: %w", actors.ErrOverloaded)
	}
	c.run(ctx, id, reply.GetOpen())
	return int(reply.GetEnded()), nil
}

// Erase ends the logins that were made on a device, and drops them. What the entity
// remembers of them are ids that say nothing. It fails as [Client.End] does.
func (c Client) Erase(ctx context.Context, request cluster.RequestID, id ID, device []byte) error {
	reply, err := actors.Ask[*EraseReply](ctx, c.Asker, id.Address(), request, 0, &Erase{Device: device})
	switch {
	case err != nil:
		return err
	case reply.GetBusy():
		return fmt.Errorf("erase logins: %w", actors.ErrOverloaded)
	}
	return intent.Run(ctx, c.Asker, id.Address(), reply.GetOpen())
}

// run carries out intents as far as it can, several at a time: a household has many
// devices, and its provider waits.
func (c Client) run(ctx context.Context, id ID, open []*intent.Intent) {
	var g errgroup.Group
	for i := range min(atOnce, len(open)) {
		var share []*intent.Intent
		for n := i; n < len(open); n += atOnce {
			share = append(share, open[n])
		}
		g.Go(func() error { return intent.Run(ctx, c.Asker, id.Address(), share) })
	}
	_ = g.Wait() // the entity does the rest
}
