package placement

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
	"ssod/cluster/plan"
	"ssod/cluster/replica/core"
)

// groupPrefix begins the keys of groups in the table of nodes.
const groupPrefix = "group/"

func groupKey(shard cluster.ShardID) string { return groupPrefix + shardKey(int(shard)) }

func encodeGroup(c plan.Config) []byte {
	r := &GroupRecord{
		Term: c.Term, Voters: replicaNumbers(c.Voters), Outgoing: replicaNumbers(c.Outgoing), Learners: replicaNumbers(c.Learners),
	}
	for _, s := range c.Next {
		r.Next = append(r.Next, &VoterSet{Voters: replicaNumbers(s)})
	}
	return encode(r)
}

func decodeGroup(key string, value []byte) (shard int, c plan.Config, err error) {
	r := &GroupRecord{}
	if err = proto.Unmarshal(value, r); err == nil {
		shard, err = strconv.Atoi(strings.TrimPrefix(key, groupPrefix))
	}
	if err != nil || shard < 0 {
		return 0, c, fmt.Errorf("group of shard %s: %w", key, err)
	}
	c = plan.Config{
		Term: r.GetTerm(), Voters: replicas(r.GetVoters()), Outgoing: replicas(r.GetOutgoing()), Learners: replicas(r.GetLearners()),
	}
	for _, s := range r.GetNext() {
		c.Next = append(c.Next, replicas(s.GetVoters()))
	}
	return shard, c, nil
}

// configOf is the configuration that a leader has applied.
func configOf(st core.Status) plan.Config {
	conf := st.Applied.Conf
	c := plan.Config{
		Term: st.Term, Voters: replicas(conf.GetVoters()), Outgoing: replicas(conf.GetVotersOutgoing()),
		Learners: replicas(slices.Concat(conf.GetLearners(), conf.GetLearnersNext())),
	}
	for _, rs := range [][]plan.ReplicaID{c.Voters, c.Outgoing, c.Learners} {
		slices.Sort(rs)
	}
	return c
}

func replicas(ids []uint64) (rs []plan.ReplicaID) {
	for _, id := range ids {
		rs = append(rs, plan.ReplicaID(id))
	}
	return rs
}

func replicaNumbers(rs []plan.ReplicaID) (ids []uint64) {
	for _, r := range rs {
		ids = append(ids, uint64(r))
	}
	return ids
}
