package placement

import (
	"context"
	"slices"

	"ssod/cluster"
	"ssod/cluster/plan"
)

// tidy removes the replicas that are not assigned to this node, once the leader of their
// group agrees.
func (p *Placement) tidy(ctx context.Context) {
	for id := range cluster.ShardID(p.engine.Count() + 1) {
		assignment, ok := p.registry.Assignment(int(id))
		if !ok || assignment.Has(p.self) || ctx.Err() != nil {
			continue
		}
		if err := p.drop(ctx, id, assignment); err != nil && ctx.Err() == nil {
			p.cfg.Log.Debug("a replica is kept", "shard", id, "error", err)
		}
	}
}

// drop removes this node's replica of a shard if it may.
func (p *Placement) drop(ctx context.Context, id cluster.ShardID, assignment plan.Assignment) error {
	lock, err := p.lock(uint32(id))
	if err != nil {
		return err
	}
	defer lock.Unlock()
	st, err := p.engine.Status(ctx, id)
	if err != nil || st.Open {
		return nil // there is none, or it leads and hands the lead over first
	}
	for _, n := range assignment.Voters {
		if !p.Alive(n) {
			continue
		}
		a, err := p.call(ctx, n, &Request{Release: &ReleaseRequest{Shard: uint32(id), Replica: uint64(st.ID)}})
		if err == nil && a.GetReleased().GetGranted() {
			p.cfg.Log.Info("a replica is removed", "shard", id, "replica", st.ID.String())
			return p.engine.Remove(ctx, id)
		}
	}
	return nil
}

// release decides, as the leader of a group, whether a replica may go: it is no member, a
// majority of the members has that on disk, and it is not assigned to become one again.
func (p *Placement) release(ctx context.Context, r *ReleaseRequest) (*Answer, error) {
	id, replica := cluster.ShardID(r.GetShard()), plan.ReplicaID(r.GetReplica())
	if r.GetShard() > uint32(p.engine.Count()) {
		return nil, ErrRefused
	}
	shard, leads := p.engine.Lead(id)
	if !leads {
		return nil, ErrTemporary
	}
	if err := shard.ReadBarrier(ctx); err != nil {
		return nil, err
	}
	st, err := p.engine.Status(ctx, id)
	if err != nil {
		return nil, err
	}
	conf, member := st.Applied.Conf, uint64(replica)
	assignment, ok := p.registry.Assignment(int(id))
	kept := !ok || !st.Settled || assignment.Has(replica.Node()) ||
		slices.Contains(conf.GetVoters(), member) || slices.Contains(conf.GetVotersOutgoing(), member) ||
		slices.Contains(conf.GetLearners(), member) || slices.Contains(conf.GetLearnersNext(), member)
	return &Answer{Released: &Released{Granted: !kept}}, nil
}
