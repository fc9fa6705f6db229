package node

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"ssod/cluster"
	"ssod/cluster/membership"
	"ssod/cluster/placement"
)

// waitReport is how often a slow start logs what it waits for.
const waitReport = 5 * time.Second

// waitFor notes what the start waits for; what is called when that is shown.
func (n *Node) waitFor(what func() string) {
	n.known.Lock()
	defer n.known.Unlock()
	n.waiting = what
}

// waitingFor is what the start waits for.
func (n *Node) waitingFor() string {
	n.known.Lock()
	what := n.waiting
	n.known.Unlock()
	if what == nil {
		return ""
	}
	return what()
}

// reportWaiting logs periodically what the start waits for, until ctx ends.
func (n *Node) reportWaiting(ctx context.Context) {
	tick := time.NewTicker(waitReport)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			n.log.Info("starting", "waits for", n.waitingFor(), "for", time.Since(n.started).Round(time.Second).String())
		case <-ctx.Done():
			return
		}
	}
}

// ownersMissing says how many shards lack an owner, and which nodes may be missing.
func (n *Node) ownersMissing() string {
	missing := 0
	for id := range cluster.ShardID(n.shards.Count() + 1) {
		owner, known := n.shards.Owner(id)
		if _, leads := n.shards.Lead(id); !known || owner.Address == n.me.RPC && !leads {
			missing++
		}
	}
	return fmt.Sprintf("a leader for every shard: none is known of %d of %d%s", missing, n.shards.Count()+1, n.strangers())
}

// strangers names the nodes that are not reached.
func (n *Node) strangers() string {
	var names []string
	for _, p := range n.nodes.Nodes() {
		if p.ID != n.me.ID && p.State != placement.NodeState_REMOVED && !n.network.Connected(p.ID) {
			names = append(names, p.Name)
		}
	}
	if names == nil {
		return ""
	}
	said := "; not reached: " + strings.Join(names, ", ")
	if n.gossip == nil {
		return said
	}
	if err := n.gossip.Trouble(); errors.Is(err, membership.ErrIncarnation) {
		said += "; " + err.Error()
	}
	return said
}
