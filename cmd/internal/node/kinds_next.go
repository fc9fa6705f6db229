//go:build nextlevel

package node

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"time"

	"google.golang.org/protobuf/types/known/emptypb"

	"ssod/actors"
	"ssod/cluster"
)

// This build stands for the version that comes next, so that tests can upgrade a cluster
// to it: at level 3 there is a kind of entity that the version before does not know, a
// counter, to which each node adds one.
const nextKind = "nextlevel"

// nextKinds are the kinds of entity of the next level.
func nextKinds() []actors.Kind {
	return []actors.Kind{{Name: nextKind, Level: nextLevel, New: func(id actors.Identity) actors.Entity {
		return &counter{entity: actors.Address{Kind: nextKind, Identity: id}.Entity()}
	}}}
}

const nextLevel = 3

// useLevel waits for the level and then adds to the counter, once.
func (n *Node) useLevel() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	n.own("the next level's counter", closing(func() error { cancel(); <-done; return nil }))
	go func() {
		defer close(done)
		var request cluster.RequestID
		rand.Read(request[:]) // never fails
		pace := time.NewTicker(100 * time.Millisecond)
		defer pace.Stop()
		for {
			select {
			case <-pace.C:
			case <-ctx.Done():
				return
			}
			if n.store.Level() < nextLevel {
				continue
			}
			_, err := n.runtime.Ask(ctx, actors.Address{Kind: nextKind, Identity: actors.Identity{"counter"}}, request, 0, &emptypb.Empty{})
			if err == nil {
				n.log.Info("an entity of the next level was changed")
				return
			}
		}
	}()
}

// counter is an entity that counts the commands that it gets.
type counter struct {
	entity cluster.Entity
	total  uint64
}

func (c *counter) Load(store actors.Store) error {
	h, ok, err := store.Head(c.entity)
	if ok {
		c.total = binary.BigEndian.Uint64(h.State)
	}
	return err
}

func (c *counter) Receive(t *actors.Turn) {
	next := c.total + 1
	t.Change(actors.Decision{
		Reply:   &emptypb.Empty{},
		Commit:  &cluster.Commit{Schema: 1, State: binary.BigEndian.AppendUint64(nil, next)},
		Applied: func() { c.total = next },
	})
}

func (c *counter) Tick(*actors.Turn) bool { return true }
