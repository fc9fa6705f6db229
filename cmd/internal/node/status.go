package node

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"ssod/cluster/membership"
	"ssod/httpfront/api/admin"
)

// status is what health checks and operators see of the node.
func (n *Node) status() admin.Status {
	n.known.Lock()
	identity, http := n.identity, n.http
	n.known.Unlock()
	state := n.state.Load().(admin.State)
	s := admin.Status{
		State: state, Node: identity.Node, Version: Version(), Cluster: identity.Cluster, Started: n.started,
		Addresses: map[string]string{"http": http, "admin": n.config.Admin},
		PublicTLS: n.config.TLSCert != "",
	}
	if c := &n.config; c.clustered() {
		s.Addresses["gossip"], s.Addresses["rpc"], s.Addresses["raft"] = c.Gossip, c.RPC, c.Raft
	}
	s.Conditions = append(s.Conditions, n.lifecycle(state))
	if state == admin.Left {
		s.Addresses["admin"] = n.Admin()
		s.Conditions = append(s.Conditions, n.storeCondition(), n.diskCondition(), n.clockCondition())
	} else if state != admin.Starting {
		s.Addresses["admin"] = n.Admin()
		s.Conditions = append(s.Conditions, n.storeCondition(), n.diskCondition(), n.shardCondition(), n.contactCondition(), n.clockCondition(),
			n.timeCondition(), n.retentionCondition(),
			n.membershipCondition(), n.identityCondition(), n.configurationCondition(), n.marginCondition(), n.keysCondition(), n.issuersCondition(), n.sealingCondition(), n.degradationCondition(), n.providersCondition(), n.webhooksCondition())
	}
	return s
}

func (n *Node) lifecycle(state admin.State) admin.Condition {
	c := admin.Condition{Name: "lifecycle", OK: state == admin.Ready}
	switch {
	case state == admin.Starting:
		c.Detail = cmp.Or(n.waitingFor(), "opening the store and starting")
	case state == admin.Left, state == admin.Draining && n.isDrained():
		c.Detail = n.drainedLifecycle(state)
	case state == admin.Draining:
		c.Detail = "draining: requests are still served, send no new ones"
	}
	return c
}

func (n *Node) storeCondition() admin.Condition {
	if err := n.store.Err(); err != nil {
		return admin.Condition{Name: "store", Detail: err.Error()}
	}
	return admin.Condition{Name: "store", OK: true}
}

// diskCondition is about a slow disk, else advice: below the reserve reads go on, and a
// load balancer could choose no better node for them.
func (n *Node) diskCondition() admin.Condition {
	if c, slow := n.slowDiskCondition(); slow {
		return c
	}
	c := admin.Condition{Name: "disk", OK: !n.store.Full(), Advice: true}
	if !c.OK {
		c.Detail = "free space is below the reserve: changes are refused, reads go on"
		if n.placement != nil && n.placement.Relieved() {
			c.Detail = "free space is below the reserve: other nodes lead in the place of this one until it has had room for a while; make room"
		}
	}
	return c
}

// contactCondition is whether this node knows what was revoked. Without it no
// token is accepted.
func (n *Node) contactCondition() admin.Condition {
	c := admin.Condition{Name: "contact", OK: true}
	if now := time.Now(); n.placement != nil && (!n.placement.HasContact(now) || n.claimed(now) != "") {
		c.OK, c.Detail = false, n.outOfContact(now).String()
	}
	return c
}

// clockCondition is whether this node's clock agrees with the others'.
func (n *Node) clockCondition() admin.Condition {
	c := admin.Condition{Name: "clock", OK: true}
	if n.placement == nil {
		return c
	}
	switch skew := n.placement.Skew(); {
	case skew.Refused:
		c.OK = false
		c.Detail = fmt.Sprintf("this node's clock is %v ahead of what the clocks of a majority allow: it changes nothing by it; synchronise the clocks (NTP), this node's first; other nodes lead its shards meanwhile",
			skew.Ahead.Round(time.Millisecond))
	case skew.Off:
		c.OK = false
		c.Detail = fmt.Sprintf("this node's clock is %v %s the median of all nodes: synchronise it (NTP); other nodes lead its shards meanwhile",
			skew.Ahead.Abs().Round(time.Millisecond), direction(skew.Ahead))
	}
	return c
}

func direction(ahead time.Duration) string {
	if ahead < 0 {
		return "behind"
	}
	return "ahead of"
}

// membershipCondition is advice: nodes that gossip does not find may be reached all the
// same. But a node that was to join others and finds a cluster that is not its own must
// not serve.
func (n *Node) membershipCondition() admin.Condition {
	c := admin.Condition{Name: "membership", OK: true, Advice: true}
	if n.gossip == nil {
		return c
	}
	if why := n.claimed(time.Now()); why != "" {
		return admin.Condition{Name: "membership", Detail: why}
	}
	if err := n.gossip.Trouble(); err != nil {
		c.OK, c.Detail, c.Advice = false, err.Error(), !errors.Is(err, membership.ErrCluster)
	}
	return c
}

// shardCondition is whether every shard has a known owner, or has only just lost it.
func (n *Node) shardCondition() admin.Condition {
	now := time.Now()
	n.look(now)
	overdue := n.orphans.overdue(now)
	c := admin.Condition{Name: "shards", OK: overdue == 0}
	if overdue > 0 {
		c.Detail = fmt.Sprintf("no leader is known of %d of %d shards", overdue, n.shards.Count()+1)
	}
	return c
}
