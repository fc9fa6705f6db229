package node

import (
	"slices"
	"testing"

	"ssod/cluster/placement"
)

func TestHope(t *testing.T) {
	type ids = []placement.NodeID
	for name, tt := range map[string]struct {
		voters ids
		me     placement.NodeID
		heard  ids
		want   bool
	}{
		"all":                         {ids{1, 2, 3}, 1, ids{2, 3}, true},
		"a majority":                  {ids{1, 2, 3}, 1, ids{3}, true},
		"nobody":                      {ids{1, 2, 3}, 1, nil, false},
		"who does not decide":         {ids{1, 2, 3}, 1, ids{4}, false},
		"half of four":                {ids{1, 2, 3, 4}, 1, ids{2}, false},
		"alone and needs nobody":      {ids{1}, 1, nil, true},
		"without a vote hears one":    {ids{1, 2, 3}, 4, ids{2}, true},
		"without a vote hears others": {ids{1, 2, 3}, 4, ids{5}, false},
	} {
		t.Run(name, func(t *testing.T) {
			hears := func(id placement.NodeID) bool { return slices.Contains(tt.heard, id) }
			if got := hope(tt.voters, tt.me, hears); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
