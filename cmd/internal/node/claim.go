package node

import (
	"fmt"
	"time"

	"ssod/cluster/transport"
	"ssod/persistence"
)

// claimMemory is how long the claim of another cluster counts. Its nodes dial about every
// second.
const claimMemory = 15 * time.Second

// claim is a message of another cluster's node that takes this node for a member.
type claim struct {
	by, cluster string
	at          time.Time
}

func (n *Node) noteClaim(by transport.Peer, cluster string) {
	if persistence.Founding(cluster) == persistence.Founding(n.store.Identity().Cluster) {
		return // it was absent from a recovery, or this node was; gossip says so to both
	}
	if n.claim.Swap(&claim{by.Name, cluster, time.Now()}) == nil {
		n.log.Error("another cluster takes this node for its member", "by", by.Name, "cluster", cluster)
	}
}

// claimed explains why this node must not serve: it is alone in a cluster of its own, but
// others take it for a member of theirs. It was founded again by mistake, like a member
// with a wiped disk that starts without --join.
func (n *Node) claimed(now time.Time) string {
	last := n.claim.Load()
	if last == nil || now.Sub(last.at) > claimMemory || n.placement.Others() > 0 {
		return ""
	}
	return fmt.Sprintf("node %s takes this node for a member of its cluster %s, but this one has founded a cluster of its own, "+
		"as an empty data directory without --join does: stop it, empty the directory, and start it with --join and the address of a member", last.by, last.cluster)
}
