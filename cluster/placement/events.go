package placement

import (
	"context"
	"fmt"

	"ssod/cluster"
)

// Events answers requests about the events that wait in the shards that this node leads; a
// [ssod/httpfront/webhook.Dispatcher] does.
type Events interface {
	Serve(ctx context.Context, request []byte) (answer []byte, err error)
}

// EventsOfOthers are the other members, by name, for who asks about the events of the whole
// cluster.
func (p *Placement) EventsOfOthers() EventsOfOthers { return EventsOfOthers{p} }

// EventsOfOthers is what [ssod/httpfront/webhook] asks for.
type EventsOfOthers struct{ p *Placement }

// Leaders says which member leads each shard, "" being this one. It fails when some shard
// has no leader now.
func (o EventsOfOthers) Leaders() (map[string][]cluster.ShardID, error) {
	return o.p.PinsOfOthers().Leaders()
}

// Ask sends a request to the [Events] of a member.
func (o EventsOfOthers) Ask(ctx context.Context, node string, request []byte) ([]byte, error) {
	a, err := o.p.askNamed(ctx, node, &Request{Events: request})
	return a.GetEvents(), err
}

// events answers a request of another member.
func (p *Placement) events(ctx context.Context, request []byte) (*Answer, error) {
	if p.cfg.Events == nil {
		return nil, fmt.Errorf("%w: this node knows nothing of events", ErrRefused)
	}
	answer, err := p.cfg.Events.Serve(ctx, request)
	return &Answer{Events: answer}, err
}
