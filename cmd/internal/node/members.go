package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ssod/cluster"
	"ssod/cluster/membership"
	"ssod/cluster/placement"
	"ssod/cluster/replica/core"
	"ssod/httpfront/api/admin"
)

// members is what operators see of the cluster.
type members struct{ n *Node }

// members returns nil on a node that is alone.
func (n *Node) members() admin.Members {
	if n.placement == nil {
		return nil
	}
	return members{n}
}

func (m members) Nodes() (all []admin.Member) {
	started := m.started()
	for _, p := range m.n.nodes.Nodes() {
		if p.State == placement.NodeState_REMOVED {
			continue
		}
		free, _ := m.n.space.on(p.ID)
		all = append(all, admin.Member{
			Name: p.Name, Self: p.ID == m.n.me.ID, State: m.state(p), Version: p.Version, Zone: p.Zone, FreeDisk: free, Started: started[p.Name],
			Drain:     m.drain(p),
			Addresses: map[string]string{"http": p.HTTP, "admin": p.Admin, "gossip": p.Gossip, "rpc": p.RPC, "raft": p.Raft},
		})
	}
	return all
}

// drain is what a drained node still has.
func (m members) drain(p placement.Node) *admin.Drain {
	if p.Leave != placement.Leave_LEAVES {
		return nil
	}
	h := m.n.placement.Holdings(p.ID)
	return &admin.Drain{Copies: h.Copies, Leads: h.Leads, MetaVote: h.MetaVote}
}

func (m members) state(p placement.Node) admin.State {
	alive := m.n.placed.Load().Alive(p.ID)
	switch {
	case p.Leave == placement.Leave_LEFT:
		return admin.Left
	case alive && p.Leave == placement.Leave_LEAVES:
		return admin.Draining
	case alive:
		return admin.Alive
	case p.State == placement.NodeState_DEAD:
		return admin.Dead
	}
	return admin.Unreachable
}

func (m members) Spare() int { return m.n.placement.Margin().Spare }

func (m members) Zones() (zones []admin.Zone, spare int) {
	margin := m.n.placement.Margin()
	for _, z := range margin.Zones {
		zones = append(zones, admin.Zone(z))
	}
	return zones, margin.SpareZones
}

// started is when nodes started, which is their incarnation.
func (m members) started() map[string]time.Time {
	at := map[string]time.Time{}
	if m.n.gossip == nil {
		return at
	}
	for _, g := range m.n.gossip.Members() {
		if g.State == membership.Alive {
			at[g.Name] = time.Unix(0, int64(g.Incarnation)).UTC()
		}
	}
	return at
}

// Placement implements [admin.Members]. A node without a replica shows where the
// map has them.
func (m members) Placement(ctx context.Context, id cluster.ShardID) (p admin.Placement) {
	if owner, ok := m.n.shards.Owner(id); ok {
		leader, _ := m.n.nodes.At(owner.Address)
		p.Leader, p.Term = leader.Name, owner.Term
	}
	st, err := m.n.engine.Status(ctx, id)
	if err != nil {
		place, _ := m.n.nodes.Assignment(int(id))
		p.Voters, p.Learners = m.names(place.Voters), m.names(place.Learners)
		return p
	}
	p.Applied = st.Applied.Index
	// During a joint change the outgoing voters still vote.
	conf := st.Applied.Conf
	voters := slices.Concat(conf.GetVoters(), conf.GetVotersOutgoing())
	slices.Sort(voters)
	p.Voters, p.Learners = m.names(nodesOf(slices.Compact(voters))), m.names(nodesOf(conf.GetLearners()))
	p.Confirmed = m.n.nodes.Confirms(st)
	for _, match := range st.Match {
		if st.Last > match {
			p.Lag = max(p.Lag, st.Last-match)
		}
	}
	return p
}

func nodesOf(replicas []uint64) (ids []core.NodeID) {
	for _, r := range replicas {
		ids = append(ids, core.ReplicaID(r).Node())
	}
	return ids
}

func (m members) names(ids []core.NodeID) []string {
	names := make([]string, 0, len(ids))
	for _, id := range ids {
		p, ok := m.n.nodes.Node(id)
		switch {
		case !ok:
			p.Name = fmt.Sprint("node ", id)
		case p.State == placement.NodeState_REMOVED: // another may have its name by now
			p.Name += " (removed)"
		}
		names = append(names, p.Name)
	}
	return names
}

func (m members) Remove(ctx context.Context, name string) error {
	err := m.n.placement.Remove(ctx, name)
	switch {
	case errors.Is(err, placement.ErrUnknownNode):
		return fmt.Errorf("%w: %s", admin.ErrNoNode, name)
	case errors.Is(err, placement.ErrNeeded):
		_, why, _ := strings.Cut(err.Error(), placement.ErrNeeded.Error()+": ")
		return fmt.Errorf("%w: %s", admin.ErrNodeNeeded, why)
	case errors.Is(err, placement.ErrTemporary):
		return fmt.Errorf("%w: %w", cluster.ErrRefused, err)
	}
	return err
}

func (m members) Readmit(ctx context.Context, name string) error {
	err := m.n.placement.Readmit(ctx, name)
	switch {
	case errors.Is(err, placement.ErrUnknownNode):
		return fmt.Errorf("%w: no removed node %s had a certificate that is refused", admin.ErrNoNode, name)
	case errors.Is(err, placement.ErrTemporary):
		return fmt.Errorf("%w: %w", cluster.ErrRefused, err)
	}
	return err
}
