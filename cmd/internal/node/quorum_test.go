package node

import (
	"slices"
	"testing"

	"ssod/cluster/placement"
	"ssod/cluster/plan"
	"ssod/persistence"
)

func TestHope(t *testing.T) {
	type ids = []placement.NodeID
	for name, tt := range map[string]struct {
		voters, outgoing, next ids
		me                     placement.NodeID
		heard                  ids
		want                   bool
	}{
		"all":                          {voters: ids{1, 2, 3}, me: 1, heard: ids{2, 3}, want: true},
		"a majority":                   {voters: ids{1, 2, 3}, me: 1, heard: ids{3}, want: true},
		"nobody":                       {voters: ids{1, 2, 3}, me: 1},
		"who does not decide":          {voters: ids{1, 2, 3}, me: 1, heard: ids{4}},
		"half of four":                 {voters: ids{1, 2, 3, 4}, me: 1, heard: ids{2}},
		"alone and needs nobody":       {voters: ids{1}, me: 1, want: true},
		"without a vote hears one":     {voters: ids{1, 2, 3}, me: 4, heard: ids{2}, want: true},
		"without a vote hears others":  {voters: ids{1, 2, 3}, me: 4, heard: ids{5}},
		"both of a joint change":       {voters: ids{1, 4, 5}, outgoing: ids{1, 2, 3}, me: 1, heard: ids{2, 4}, want: true},
		"the new of a joint change":    {voters: ids{1, 4, 5}, outgoing: ids{1, 2, 3}, me: 1, heard: ids{4, 5}},
		"the old of a joint change":    {voters: ids{1, 4, 5}, outgoing: ids{1, 2, 3}, me: 1, heard: ids{2, 3}},
		"those that may vote by now":   {voters: ids{1, 2, 3}, next: ids{1, 4, 5}, me: 1, heard: ids{4}, want: true},
		"those that voted before that": {voters: ids{1, 2, 3}, next: ids{1, 4, 5}, me: 1, heard: ids{2}, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			c := plan.Config{Voters: replicasOn(tt.voters), Outgoing: replicasOn(tt.outgoing)}
			if tt.next != nil {
				c.Next = [][]plan.ReplicaID{replicasOn(tt.next)}
			}
			hears := func(id placement.NodeID) bool { return slices.Contains(tt.heard, id) }
			if got := quorum(c, tt.me, hears); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// replicasOn are replicas on nodes.
func replicasOn(nodes []placement.NodeID) (rs []plan.ReplicaID) {
	for _, n := range nodes {
		rs = append(rs, persistence.NewReplicaID(n, 1))
	}
	return rs
}
