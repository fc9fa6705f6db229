package node

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"

	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/cluster/transport"
)

// ErrOlder says that the data directory is older than what this node has promised to
// others, or that another process uses a copy of it.
var ErrOlder = errors.New("the data directory is older than what this node acknowledged")

// boot counts this start, before other nodes can learn of it.
func (n *Node) boot() (err error) {
	n.boots, err = n.store.Boot(rand.Uint64())
	return err
}

// introducePace is how often introduce checks whether all others know this start.
const introducePace = 5 * time.Millisecond

// introduce lets the node take part step by step: it votes for a leader of the meta shard
// when every connected node has accepted this start, and does everything else when the
// start is registered.
func (n *Node) introduce(context.Context) error {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.introduction(ctx)
	}()
	n.own("introduction", closing(func() error { cancel(); <-done; return nil }))
	return nil
}

func (n *Node) introduction(ctx context.Context) {
	pace := time.NewTicker(introducePace)
	defer pace.Stop()
	for !n.network.Introduced() {
		select {
		case <-pace.C:
		case <-ctx.Done():
			return
		}
	}
	n.engine.Speak(replica.MetaOnly)
	n.placement.Introduced()
	select {
	case <-n.placement.Registered():
	case <-ctx.Done():
		return
	}
	n.engine.Speak(replica.Free)
	close(n.introduced)
	if err := n.store.ConfirmBoot(); err != nil {
		n.log.Warn("it is not noted that this start is registered", "error", err)
	}
}

// awaitIntroduction waits until this node takes part in everything.
func (n *Node) awaitIntroduction(ctx context.Context) error {
	select {
	case <-n.introduced:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("this start is not registered: %w", ctx.Err())
	}
}

// outdated ends the node: another one refuses it, because it knows of a later state.
func (n *Node) outdated(by transport.Peer, why error) {
	if errors.Is(why, transport.ErrLevel) {
		n.fatal(n.unlevelled(fmt.Errorf("node %s: %w", by.Name, why)))
		return
	}
	if errors.Is(why, transport.ErrTwice) {
		n.fatal(n.twin(fmt.Sprintf("node %s: %v", by.Name, why)))
		return
	}
	n.fatal(n.older(fmt.Sprintf("node %s: %v", by.Name, why)))
}

// deposed ends the node: the registry has another start of it.
func (n *Node) deposed(why error) { n.fatal(n.older(why.Error())) }

// broken ends the node: its disk cannot be written or hangs, or a replica contradicts its
// leader.
func (n *Node) broken(err error) { n.fatal(n.explain(err)) }

// explain says what to do about an engine that cannot go on. A replica that contradicts
// others has almost always lost data that they have from it.
func (n *Node) explain(err error) error {
	if errors.Is(err, replica.ErrDiskHung) {
		return fmt.Errorf("%w%s: check it, then start again", err, n.atDisk())
	}
	b, ok := errors.AsType[*core.BrokenError](err)
	if !ok {
		return err
	}
	if !n.config.clustered() {
		return fmt.Errorf("%w: the data directory %s is damaged or was changed: restore it from a copy", err, n.config.Data)
	}
	return n.older(b.Error())
}

// older tells an operator that the node went back in time.
func (n *Node) older(why string) error {
	return fmt.Errorf("%w: %s was restored from a copy or a snapshot, or has lost writes, and must not take part again; "+
		"move it aside and join again: %s (%s)", ErrOlder, n.config.Data, n.rejoin(), why)
}

// twin tells an operator that the node was started a second time.
func (n *Node) twin(why string) error {
	return fmt.Errorf("node %s is running already, with the data that %s was copied from: stop this one for good, or make it a node of its own: "+
		"give it an empty --data directory, another --node name and %s (%s)", n.me.Name, n.config.Data, n.joining(), why)
}

// rejoin is the command that makes a new member of this node.
func (n *Node) rejoin() string {
	data := filepath.Clean(n.config.Data)
	return fmt.Sprintf("mv %s %s.older && ssod --data %s --node %s %s, with its other flags as they are", data, data, data, n.me.Name, n.joining())
}

// joining is the flag that names nodes to join.
func (n *Node) joining() string {
	for _, seed := range n.seeds() {
		return "--join " + seed
	}
	return "--join and the gossip address of a member"
}
