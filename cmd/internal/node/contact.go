package node

import (
	"fmt"
	"strings"
	"time"

	"ssod/cluster"
	"ssod/cluster/placement"
)

// outOfContact says how a node has lost the leader of the meta shard, without which it
// does not serve for long.
type outOfContact struct {
	since time.Time     // when it was in contact last; the zero time: never
	lasts time.Duration // since then
	// leader is the node that leads the meta shard; empty: unknown.
	leader string
	// voters elect the leader; unreached are those that this node does not reach.
	voters, unreached []string
}

func (n *Node) outOfContact(now time.Time) outOfContact {
	o := outOfContact{since: n.placement.LastContact()}
	o.lasts = now.Sub(o.since)
	if owner, known := n.shards.Owner(cluster.MetaShard); known {
		leader, _ := n.nodes.At(owner.Address)
		o.leader = leader.Name
	}
	voters := n.nodes.Group(int(cluster.MetaShard)).Voters
	for _, r := range voters {
		p, known := n.nodes.Node(r.Node())
		if !known || p.State == placement.NodeState_REMOVED {
			continue
		}
		o.voters = append(o.voters, p.Name)
		if p.ID != n.me.ID && !n.hears(p.ID) {
			o.unreached = append(o.unreached, p.Name)
		}
	}
	return o
}

// String says what is missing, the consequence, and what to check.
func (o outOfContact) String() string {
	var b strings.Builder
	if o.leader == "" {
		b.WriteString("no leader of the meta shard heard since ")
	} else {
		fmt.Fprintf(&b, "%s, which leads the meta shard, has not answered since ", o.leader)
	}
	if o.since.IsZero() {
		b.WriteString("this node started")
	} else {
		fmt.Fprintf(&b, "%s (%v)", o.since.UTC().Format(time.RFC3339), o.lasts.Round(time.Second))
	}
	b.WriteString(": every request is refused, because revocations may be missing here")
	switch {
	case len(o.unreached) > 0:
		fmt.Fprintf(&b, "; of the %d nodes that elect the leader not reached: %s; start them, or check the network to them", len(o.voters), strings.Join(o.unreached, ", "))
	default:
		b.WriteString("; check the network to the other nodes")
	}
	return b.String()
}
