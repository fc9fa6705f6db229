package placement

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"ssod/cluster"
	"ssod/cluster/plan"
	"ssod/cluster/wait"
)

// Others counts the other members.
func (p *Placement) Others() int { return len(p.registry.others(p.self)) }

// AwaitTables waits until the tables of the meta shard are here.
func (p *Placement) AwaitTables(ctx context.Context) error {
	for _, table := range []string{nodesTable, slotsTable} {
		if err := p.tables.Await(ctx, table, 1); err != nil {
			return err
		}
	}
	p.reread()
	p.divide()
	return nil
}

// AwaitOwners waits until this node knows the owner of every shard, and can serve those
// that it owns itself.
func (p *Placement) AwaitOwners(ctx context.Context) error {
	changed := wait.NewSignal()
	defer p.view.Watch(func(cluster.ShardID) { changed.Send() })()
	for p.orphans() > 0 {
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("no leader is known of %d shards: %w", p.orphans(), ctx.Err())
		}
	}
	return nil
}

// orphans counts the shards without an owner as far as this node knows.
func (p *Placement) orphans() (n int) {
	for id := range cluster.ShardID(p.view.Count() + 1) {
		owner, ok := p.view.Owner(id)
		if _, leads := p.view.Lead(id); !ok || owner.Address == p.cfg.Self.RPC && !leads {
			n++
		}
	}
	return n
}

// Ready lets others hand leads to this node.
func (p *Placement) Ready() {
	p.notAccepting.Store(false)
	p.wake()
}

// resignPace is how often a resigning node checks what it still leads.
const resignPace = 20 * time.Millisecond

// Resign hands all leaderships over to other voters and moves no shards any more. It
// returns when none is left that another node can have.
func (p *Placement) Resign(ctx context.Context) error {
	p.notAccepting.Store(true)
	p.resigning.Store(true)
	p.announceResign(ctx)
	for {
		left, err := p.handAllOver(ctx)
		if err != nil || left == 0 {
			return err
		}
		if err := wait.Pause(ctx, resignPace); err != nil {
			return fmt.Errorf("%d shards are still led here: %w", left, err)
		}
	}
}

// stepDown hands over the leaderships that other nodes accept.
func (p *Placement) stepDown(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if _, err := p.handAllOver(ctx); err != nil && ctx.Err() == nil {
		p.cfg.Log.Debug("not all leaderships were handed over", "error", err)
	}
}

// announceResign tells the others not to hand leads to this node.
func (p *Placement) announceResign(ctx context.Context) {
	var calls sync.WaitGroup
	for _, n := range p.registry.others(p.self) {
		if p.Alive(n.ID) {
			calls.Go(func() { _, _ = p.call(ctx, n.ID, &Request{Leaders: &Leaders{NotAccepting: true}}) })
		}
	}
	calls.Wait()
}

// handAllOver transfers every shard that another node can lead, and returns how many those
// are.
func (p *Placement) handAllOver(ctx context.Context) (left int, err error) {
	for id := range cluster.ShardID(p.engine.Count() + 1) {
		if _, leads := p.engine.Lead(id); !leads {
			continue
		}
		st, err := p.engine.Status(ctx, id)
		if errors.Is(err, cluster.ErrLost) {
			continue
		}
		if err != nil {
			return 0, err
		}
		successors := p.successors(st)
		if len(successors) == 0 {
			continue
		}
		left++
		if successors = slices.DeleteFunc(successors, func(r plan.ReplicaID) bool { return !slices.Contains(st.Successors, r) }); len(successors) == 0 {
			continue // none can take it now
		}
		best := slices.MaxFunc(successors, func(a, b plan.ReplicaID) int { return int(int64(st.Match[a]) - int64(st.Match[b])) })
		if err := p.engine.Transfer(ctx, id, best); err != nil {
			return 0, err
		}
	}
	return left, nil
}
