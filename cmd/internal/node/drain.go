package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"ssod/cluster"
	"ssod/cluster/meta"
	"ssod/cluster/placement"
	"ssod/httpfront/api/admin"
	"ssod/httpfront/token/keys"
	"ssod/httpfront/token/keys/sealing"
)

// ErrAgain says that the node must be started again in this process: it has left the
// cluster, or takes part again. It is not a failure.
var ErrAgain = errors.New("the node starts again")

// leftFile marks a data directory whose node was drained: its sealing key is gone on
// purpose.
const leftFile = "left"

// drainPace is how often a drained node checks its progress.
const drainPace = 100 * time.Millisecond

// attendDrain begins to watch for a drain of this node.
func (n *Node) attendDrain() {
	if n.placement == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.attend(ctx)
	}()
	n.attending = func() { cancel(); <-done }
	n.own("watch of drains", closing(func() error { n.attending(); return nil }))
}

// attend waits for drains and carries them out, until ctx ends or this start is over.
func (n *Node) attend(ctx context.Context) {
	pace := time.NewTicker(drainPace)
	defer pace.Stop()
	var d *drained
	for {
		how, drain := n.placement.Leave()
		switch {
		case how == placement.Leave_STAYS && d == nil:
		case how == placement.Leave_STAYS && n.out.Load(), how == placement.Leave_LEFT:
			n.startAgain(ctx, how)
			return
		case how == placement.Leave_STAYS:
			d = n.resume()
		case d == nil:
			d = n.beginDrain()
		default:
			d.step(ctx, drain)
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			return
		}
	}
}

// drained is a drain under way: requests are served until other nodes serve and hold
// everything.
type drained struct {
	n        *Node
	since    time.Time
	scrubbed bool   // what the shards left in files is gone
	told     string // why it has not left yet
}

func (n *Node) beginDrain() *drained {
	n.state.Store(admin.Draining)
	n.front.Drain()
	n.log.Info("this node is drained: it hands over what it holds", "delay", n.config.DrainDelay.String())
	return &drained{n: n, since: time.Now()}
}

// resume ends a drain that was cancelled before the node had left.
func (n *Node) resume() *drained {
	n.front.Resume()
	n.state.Store(admin.Ready)
	n.log.Info("the drain of this node was taken back")
	return nil
}

// step has the node leave when it is not needed any more. It stops serving before it asks
// for that, so that no request waits for it from then on.
func (d *drained) step(ctx context.Context, drain uint64) {
	n := d.n
	if time.Since(d.since) < n.config.DrainDelay || !n.placement.Empty(ctx) {
		return
	}
	if !d.scrubbed {
		err := n.scrubShards(ctx)
		d.scrubbed = err == nil
		d.tell(ctx, err)
		return // it took a while: all of this is looked at again
	}
	n.out.Store(true)
	n.placement.StepAside()
	d.tell(ctx, n.placement.HasLeft(ctx, drain))
}

// tell logs what keeps the node from leaving, once.
func (d *drained) tell(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil || uncounted(err.Error()) == d.told {
		return
	}
	d.told = uncounted(err.Error())
	d.n.log.Info("this node has not left yet", "error", err)
}

// scrubWait bounds one attempt to scrub the files: a cancelled drain is not noticed
// meanwhile.
const scrubWait = 10 * time.Second

// scrubShards removes what the shards left in the files of this node: once it has left, no
// erasure reaches it.
func (n *Node) scrubShards(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, scrubWait)
	defer cancel()
	all := map[cluster.ShardID]uint64{}
	for id := range cluster.ShardID(n.shards.Count()) {
		all[id+1] = 0 // there is no log of it any more
	}
	return n.store.Scrub(ctx, all)
}

// startAgain ends this start of a node that has left, or whose drain was cancelled after
// it had stopped serving.
func (n *Node) startAgain(ctx context.Context, how placement.Leave) {
	if how == placement.Leave_LEFT {
		if err := n.forgetKeys(); err != nil {
			n.log.Error("the sealing key of this node is not destroyed yet", "error", err)
		}
		n.leaveGossip(ctx)
	}
	n.out.Store(true)
	n.fatal(ErrAgain)
}

// leaveGossip leaves the gossip, so that other nodes do not take this one for dead.
func (n *Node) leaveGossip(ctx context.Context) {
	if n.gossip == nil {
		return
	}
	if err := n.gossip.Leave(ctx); err != nil {
		n.log.Debug("others learn late that this node has left", "error", err)
	}
}

// stayOut keeps a node that has left from taking part until its drain is cancelled, also
// after a restart: it holds nothing, serves nothing, and has no key.
func (n *Node) stayOut(ctx context.Context) error {
	if n.placement == nil {
		return nil
	}
	if how, _ := n.placement.Leave(); how != placement.Leave_LEFT {
		return nil
	}
	n.out.Store(true)
	if err := n.forgetKeys(); err != nil {
		return err
	}
	n.leaveGossip(ctx)
	n.state.Store(admin.Left)
	n.admin.Serve(&admin.Services{
		Settings: n.settings.Config, Shards: n.shards, Slots: n.slots, Members: n.members(), ClusterSettings: clusterSettings{n}, Out: true,
	})
	n.log.Info("this node was drained and stays out", "to_take_it_back", "ssoctl undrain "+n.me.Name)
	pace := time.NewTicker(drainPace)
	defer pace.Stop()
	for {
		if how, _ := n.placement.Leave(); how != placement.Leave_LEFT {
			return ErrAgain
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// forgetKeys destroys the sealing key of a node that has left. The mark comes first, so
// that a missing key is never taken for a loss.
func (n *Node) forgetKeys() error {
	if err := writeDurably(filepath.Join(n.config.Data, leftFile), []byte("drained: the sealing key was destroyed")); err != nil {
		return err
	}
	return destroySealingKey(n.config.Data)
}

// renewKeys prepares a node that had left to get keys again: what was sealed to the key
// that it destroyed is removed from the tables. It retries until that is done, also after
// a crash.
func (n *Node) renewKeys(ctx context.Context) error {
	mark := filepath.Join(n.config.Data, leftFile)
	if _, err := os.Stat(mark); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for err := n.forgetCopies(ctx); err != nil; err = n.forgetCopies(ctx) {
		n.waitFor(func() string { return fmt.Sprintf("the tables to forget the sealing key that this node had: %v", err) })
		pause := time.NewTimer(joinPause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		}
	}
	if _, err := os.Stat(filepath.Join(n.config.Data, sealingFile)); errors.Is(err, os.ErrNotExist) {
		if _, err := n.makeSealingKey(); err != nil {
			return err
		}
	}
	if err := os.Remove(mark); err != nil {
		return err
	}
	return syncDirectory(n.config.Data)
}

// forgetCopies takes this node out of the table of keys.
func (n *Node) forgetCopies(ctx context.Context) error {
	if err := n.catchUp(ctx); err != nil {
		return err
	}
	records, revision := n.tables.Records(keys.Table)
	c, err := sealing.Forget(records, uint64(n.me.ID))
	if err != nil || c.Empty() {
		return err
	}
	return n.tables.Update(ctx, keys.Table, revision, c.Puts, c.Deletes)
}

// drainedLifecycle says how far a drained node is.
func (n *Node) drainedLifecycle(state admin.State) string {
	if state == admin.Left {
		return fmt.Sprintf("drained: the node holds nothing and serves nothing; stop it, or take it back with ssoctl undrain %s", n.me.Name)
	}
	text := "drained by an operator: send no new requests"
	if !n.out.Load() {
		text += ", those that come are served"
	}
	return fmt.Sprintf("%s; still here: %v", text, n.placement.Holdings(n.me.ID))
}

// isDrained reports whether an operator has this node drained.
func (n *Node) isDrained() bool {
	p := n.placed.Load()
	if p == nil {
		return false
	}
	how, _ := p.Leave()
	return how != placement.Leave_STAYS
}

func (m members) Drain(ctx context.Context, name string) error {
	return drainError(name, m.n.placement.Drain(ctx, name))
}

func (m members) Undrain(ctx context.Context, name string) error {
	return drainError(name, m.n.placement.Undrain(ctx, name))
}

func drainError(name string, err error) error {
	switch {
	case errors.Is(err, placement.ErrUnknownNode):
		return fmt.Errorf("%w: %s", admin.ErrNoNode, name)
	case errors.Is(err, placement.ErrNotDrained):
		return fmt.Errorf("%w: %w", admin.ErrNotDrained, err)
	case errors.Is(err, placement.ErrTemporary), errors.Is(err, meta.ErrChanged):
		return fmt.Errorf("%w: %w", cluster.ErrRefused, err)
	}
	return err
}
