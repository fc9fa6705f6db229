package placement

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
)

// Errors of [Placement.Remove].
var (
	// ErrUnknownNode: no member has that name.
	ErrUnknownNode = errors.New("no such node")
	// ErrNeeded: the node is there, or was until a short time ago, or something would be
	// lost without it. The text says which, and what to do.
	ErrNeeded = errors.New("the node is not given up")
)

// Remove gives a node up for good, if it has been silent for [Config.SilentFor] and all
// groups keep a majority without it. The leader of the meta shard decides.
func (p *Placement) Remove(ctx context.Context, name string) error {
	if err := p.request(ctx, name, &Request{Remove: &RemoveRequest{Name: name}}); err != nil {
		return fmt.Errorf("remove node %s: %w", name, err)
	}
	return nil
}

// giveUp gives a node up, on the leader of the meta shard, in the two steps of
// [session.replace].
func (p *Placement) giveUp(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, decideWithin)
	defer cancel()
	request := make([]byte, tokenLength)
	rand.Read(request) // never fails since Go 1.24
	for done := false; !done; {
		err := p.decideUntil(ctx, func(ctx context.Context, s *session) (err error) {
			n, ok := s.contents.bearer(name)
			if !ok {
				return ErrUnknownNode
			}
			done, err = s.replace(ctx, n, request, nil)
			return err
		})
		if err != nil {
			return err
		}
	}
	p.cfg.Log.Info("a node was removed", "node", name)
	return nil
}
