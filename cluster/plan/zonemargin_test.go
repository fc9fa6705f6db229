package plan_test

import (
	"fmt"
	"testing"

	"ssod/cluster/plan"
	"ssod/persistence"
)

// What zones are worth, by who votes where. Node n is in the n-th of the zones.
func TestZoneMargins(t *testing.T) {
	three := [][]int{{1, 2, 3}}
	tests := []struct {
		name  string
		zones string
		sets  [][][]int // groups of sets of voters
		away  int
		spare int
		stops map[string]int
	}{
		{"three in three", "abc", [][][]int{three}, 0, 1, map[string]int{"a": 0, "b": 0, "c": 0}},
		{"three in three, one away", "abc", [][][]int{three}, 1, 0, map[string]int{"a": 0, "b": 1, "c": 1}},
		{"three in three, two away", "aab", [][][]int{{{1, 2, 3}}, {{3}}}, 3, -1, map[string]int{"a": 2, "b": 1}},
		{"three in two", "aab", [][][]int{three, three}, 0, 0, map[string]int{"a": 2, "b": 0}},
		{"five in three", "aabbc", [][][]int{{{1, 2, 3, 4, 5}}}, 0, 1, map[string]int{"a": 0, "b": 0, "c": 0}},
		{"five in five", "abcde", [][][]int{{{1, 2, 3, 4, 5}}}, 0, 2, map[string]int{"a": 0, "e": 0}},
		{"on the way into one zone", "aabc", [][][]int{{{1, 3, 4}, {1, 2, 3}}}, 0, 0, map[string]int{"a": 1, "b": 0}},
		{"not known", "abc", [][][]int{three, {}}, 0, 0, map[string]int{"a": 1}},
	}
	for _, tt := range tests {
		var groups []plan.Config
		for _, sets := range tt.sets {
			var c plan.Config
			for i, set := range sets {
				if i == 0 {
					c.Voters = replicasOf(set)
				} else {
					c.Next = append(c.Next, replicasOf(set))
				}
			}
			groups = append(groups, c)
		}
		o := plan.ZoneOutlook{
			Live: func(_ int, r plan.ReplicaID) bool { return int(r.Node()) != tt.away },
			Zone: func(n plan.NodeID) string { return tt.zones[n-1 : n] },
		}
		if got := plan.SpareZones(groups, o); got != tt.spare {
			t.Errorf("%s: %d zones to spare, want %d", tt.name, got, tt.spare)
		}
		got := map[string]int{}
		for z := range tt.stops {
			got[z] = plan.StopsWithout(groups, z, o)
		}
		if fmt.Sprint(got) != fmt.Sprint(tt.stops) {
			t.Errorf("%s: stops %v, want %v", tt.name, got, tt.stops)
		}
	}
}

func replicasOf(nodes []int) (rs []plan.ReplicaID) {
	for _, n := range nodes {
		rs = append(rs, persistence.NewReplicaID(plan.NodeID(n), 1))
	}
	return rs
}
