package main

import (
	"context"
	"fmt"

	"ssod/bench/loadgen"
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
					src  loadgen.Source
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
	for _, o := range s.operations(&linker{members: s.members}, name) {
		if o.name == list { // a read, as refresh is
			continue
		}
		s.Connections = b.Connections[0]
		if err := o.prepare(); err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
		got, err := s.cost(ctx, s.service, connections, o.src)
		if err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
		b.costs.add(o.name, where, connections, got)
	}
	return nil
}

// operation is one of a round, and what is done before it, unmeasured.
type operation struct {
	name    string
	src     loadgen.Source
	prepare func() error
}

// operations are those of a round, in their order: each feeds the next.
func (s *side) operations(links *linker, name string) []operation {
	redeems := &redeemer{members: s.members, name: name + "-guest"}
	unlinks := &unlinker{members: s.members}
	ready := func() error { return nil }
	return []operation{
		{refresh, &refresher{members: s.members}, ready},
		{list, &lister{members: s.members}, ready},
		{mint, &minter{clients: s.clients, name: name}, ready},
		{link, links, ready},
		{redeem, redeems, func() error { return s.supply(links, redeems) }},
		{unlink, unlinks, func() error { return s.admit(redeems, unlinks) }},
	}
}
