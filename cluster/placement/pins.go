package placement

import (
	"context"
	"fmt"

	"ssod/cluster"
)

// Pins answers requests about what is pinned on this node for a backup; a
// [ssod/cluster/pin.Pins] does.
type Pins interface {
	Serve(ctx context.Context, request []byte) (answer []byte, err error)
}

// PinsOfOthers are the other members, by name, for a backup of the whole cluster.
func (p *Placement) PinsOfOthers() PinsOfOthers { return PinsOfOthers{p} }

// PinsOfOthers is what [ssod/cluster/pin] asks for.
type PinsOfOthers struct{ p *Placement }

// Leaders says which member leads each shard, "" being this one. It fails when some
// shard has no leader now.
func (o PinsOfOthers) Leaders() (map[string][]cluster.ShardID, error) {
	all := make(map[string][]cluster.ShardID)
	for id := range cluster.ShardID(o.p.engine.Count() + 1) {
		name := ""
		if _, leads := o.p.engine.Lead(id); !leads {
			n, err := o.p.leaderOf(id)
			if err != nil {
				return nil, err
			}
			name = n.Name
		}
		all[name] = append(all[name], id)
	}
	return all, nil
}

// Ask sends a request to the [Pins] of a member.
func (o PinsOfOthers) Ask(ctx context.Context, node string, request []byte) ([]byte, error) {
	a, err := o.p.askNamed(ctx, node, &Request{Pin: request})
	return a.GetPin(), err
}

// askNamed sends a request to a member.
func (p *Placement) askNamed(ctx context.Context, node string, r *Request) (*Answer, error) {
	for _, n := range p.registry.Nodes() {
		if n.Name == node && n.State != NodeState_REMOVED {
			return p.ask(ctx, n.ID, r)
		}
	}
	return nil, fmt.Errorf("%w: there is no such member", ErrRefused)
}

// pin answers a request of another member.
func (p *Placement) pin(ctx context.Context, request []byte) (*Answer, error) {
	if p.cfg.Pins == nil {
		return nil, fmt.Errorf("%w: this node pins nothing", ErrRefused)
	}
	answer, err := p.cfg.Pins.Serve(ctx, request)
	return &Answer{Pin: answer}, err
}
