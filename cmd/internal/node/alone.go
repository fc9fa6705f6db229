package node

import (
	"context"
	"fmt"

	"ssod/cluster"
	"ssod/cluster/meta"
	"ssod/cluster/placement"
	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/persistence"
)

// leadAlone takes the lead of all shards. No other node may have replicas of them: a node
// that left its cluster by a mere flag would serve what others decide too.
func (n *Node) leadAlone(ctx context.Context) error {
	n.me = n.self(n.store.Identity().Node)
	n.me.ID = placement.NodeID(n.store.Identity().NodeID)
	if err := n.neverShared(); err != nil {
		return err
	}
	c := n.engineConfig()
	c.Address = func(core.NodeID) string { return n.me.RPC }
	var err error
	if n.engine, err = replica.Alone(ctx, c); err != nil {
		return err
	}
	n.own("shards", closing(n.engine.Close))
	n.startScrubber()
	n.shards = n.engine
	if n.tables, err = meta.Open(ctx, n.engine); err != nil {
		return err
	}
	others, err := placement.Others(n.tables, n.me.ID)
	if err != nil {
		return err
	}
	if len(others) > 0 {
		return n.sharedWith(others[0].Name)
	}
	if err := placement.FoundSettings(ctx, n.tables, n.config.founding()); err != nil {
		return err
	}
	if err := n.takeLevel(); err != nil {
		return err
	}
	slots, err := placement.Divide(ctx, n.tables, n.engine.Count())
	if err != nil {
		return err
	}
	n.slots = func() *cluster.Slots { return slots }
	n.log.Info("alone: no port for other nodes is open; --cluster-secret opens them")
	return nil
}

// neverShared refuses a store with traces of other nodes.
func (n *Node) neverShared() error {
	if n.me.ID != 1 {
		return n.sharedWith("others, which it joined")
	}
	met, err := n.store.Peers()
	if err != nil {
		return err
	}
	for id := range met {
		return n.sharedWith(fmt.Sprintf("node %d", id))
	}
	replicas, err := n.store.Log().Replicas()
	if err != nil {
		return err
	}
	for _, r := range replicas {
		if !sole(r) {
			return n.sharedWith(fmt.Sprintf("other nodes that have shard %d", r.Shard))
		}
	}
	return nil
}

// sole reports whether a replica is the only one of its shard.
func sole(r persistence.Replica) bool {
	conf := r.Applied.Conf
	voters := conf.GetVoters()
	return len(voters) == 1 && voters[0] == uint64(r.ID) && len(conf.GetVotersOutgoing())+len(conf.GetLearners())+len(conf.GetLearnersNext()) == 0
}

func (n *Node) sharedWith(others string) error {
	return fmt.Errorf("%w: %s belongs to a cluster of several nodes, this one and %s: it needs --cluster-secret", ErrNoSecret, n.config.Data, others)
}
