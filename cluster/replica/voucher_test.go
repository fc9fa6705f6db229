package replica_test

import (
	"testing"

	"ssod/cluster"
	"ssod/cluster/replica/core"
)

// vouched reports whether a voucher passes for a barrier.
func vouched(s cluster.Shard, v cluster.Voucher) bool {
	return s.(interface{ Vouched(cluster.Voucher) bool }).Vouched(v)
}

// TestAFollowersWordPassesForABarrier, as long as the one that it was given for leads.
func TestAFollowersWordPassesForABarrier(t *testing.T) {
	c := newCluster(t, 3)
	c.fill(1, 0, 1)
	leader, shard := c.leader(1)
	follower := leader%3 + 1
	var word cluster.Voucher
	c.eventually("a word that passes", func() bool { // again where the machine stalls and another one leads
		leader, shard = c.leader(1)
		follower = leader%3 + 1
		word, _ = c.engine(follower).Vouch(1)
		return vouched(shard, word)
	})
	if word.Replica != uint64(core.ReplicaID(follower)<<32|1) || word.Term != shard.Term() {
		t.Errorf("node %d gives %+v in term %d", follower, word, shard.Term())
	}
	if v, ok := c.engine(leader).Vouch(1); ok && v.Term == word.Term {
		t.Errorf("the leader vouches: %+v", v)
	}
	c.stop(leader)
	if vouched(shard, word) {
		t.Error("it passes on a node that does not lead any more")
	}
	_, next := c.leader(1)
	if vouched(next, word) {
		t.Error("it passes for the next leader")
	}
}
