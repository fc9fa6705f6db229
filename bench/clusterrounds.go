package main

import (
	"context"
	"fmt"

	"ssod/bench/wire"
)

// measureHops measures the same requests at their owner and at the other node.
func (b *clusterBench) measureHops(ctx context.Context) error {
	s := b.several
	for round := range b.Rounds {
		for _, connections := range b.Connections {
			for i, where := range []string{atOwner, oneHop} {
				name := fmt.Sprint("hop-", round, "-", connections, "-", i)
				to := s.through(s.nodes[i])
				for _, o := range []struct {
					name string
					src  wire.Source
				}{{refresh, &refresher{members: s.members}}, {mint, &minter{clients: s.clients, name: name}}} {
					got, err := s.cost(ctx, to, connections, o.src)
					if err != nil {
						return fmt.Errorf("%s %s: %w", o.name, where, err)
					}
					b.costs.add(o.name, where, connections, got)
				}
			}
		}
	}
	return nil
}

// measureDurable measures every operation on one node and on three, in turn.
func (b *clusterBench) measureDurable(ctx context.Context) error {
	for round := range b.Rounds {
		for _, connections := range b.Connections {
			name := fmt.Sprint("round-", round, "-", connections)
			if err := b.operations(ctx, b.alone, onOne, connections, name); err != nil {
				return fmt.Errorf("%s, %w", onOne, err)
			}
			if err := b.operations(ctx, b.several, onThree, connections, name); err != nil {
				return fmt.Errorf("%s, %w", onThree, err)
			}
		}
	}
	return nil
}

// operations measures each operation once on one side. Each feeds the next.
func (b *clusterBench) operations(ctx context.Context, s *side, where string, connections int, name string) error {
	links := &linker{members: s.members}
	redeems := &redeemer{members: s.members, name: name + "-guest"}
	unlinks := &unlinker{members: s.members}
	for _, o := range []struct {
		name    string
		src     wire.Source
		prepare func() error
	}{
		{refresh, &refresher{members: s.members}, nil},
		{mint, &minter{clients: s.clients, name: name}, nil},
		{link, links, nil},
		{redeem, redeems, func() error { s.Connections = b.Connections[0]; return s.supply(links, redeems) }},
		{unlink, unlinks, func() error { return s.admit(redeems, unlinks) }},
	} {
		if o.prepare != nil {
			if err := o.prepare(); err != nil {
				return fmt.Errorf("%s: %w", o.name, err)
			}
		}
		got, err := s.cost(ctx, s.service, connections, o.src)
		if err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
		b.costs.add(o.name, where, connections, got)
	}
	return nil
}
