package node

import (
	"context"

	"ssod/cluster/membership"
	"ssod/cluster/placement"
)

// meet lets other nodes find this one.
func (n *Node) meet(context.Context) (err error) {
	n.space.look(n)
	if how, _ := n.placement.Leave(); how == placement.Leave_LEFT {
		return nil // it has left the gossip too
	}
	if n.gossip != nil {
		err = n.tellMeta()
	} else {
		err = n.openGossip(n.meta(), n.me.Name)
	}
	if err != nil {
		return err
	}
	stop := n.gossip.Watch(n.hint)
	n.own("watch of the members", closing(func() error { stop(); return nil }))
	n.hint()
	n.space.tell(n)
	return nil
}

// tellMeta gossips this node's current description.
func (n *Node) tellMeta() error {
	n.telling.Lock()
	defer n.telling.Unlock()
	return n.gossip.SetMeta(n.meta())
}

// hint handles gossip about other nodes: their addresses, their configuration, and that
// one is gone. Then that node is probed at once: its silence counts, not the gossip.
func (n *Node) hint() {
	n.compareConfigurations()
	latest, gone := map[placement.NodeID]string{}, map[placement.NodeID]bool{}
	for _, m := range n.gossip.Members() { // of each name the latest is last
		p, ok := n.nodes.Node(placement.NodeID(m.Meta.NodeID))
		switch {
		case !ok || p.Name != m.Name || p.State == placement.NodeState_REMOVED:
		case m.State == membership.Alive:
			latest[p.ID] = m.Meta.Raft
		default:
			gone[p.ID] = true
		}
	}
	for id := range gone {
		if _, alive := latest[id]; !alive {
			n.network.Probe(id)
		}
	}
	for id, address := range latest {
		n.network.Moved(id, address)
	}
}

// meta is what the node tells others by gossip.
func (n *Node) meta() membership.Meta {
	return membership.Meta{
		Cluster: n.store.Identity().Cluster, NodeID: uint32(n.me.ID),
		RPC: n.me.RPC, Raft: n.me.Raft, HTTP: n.me.HTTP,
		Config: n.settings.Config().Hash, Version: n.me.Version, FreeDisk: n.space.free.Load(),
	}
}
