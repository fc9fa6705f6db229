package node

import (
	"slices"
	"testing"
	"time"
)

func TestDivergenceShowsAfterAMinute(t *testing.T) {
	begin := time.Now()
	var d divergence
	for _, step := range []struct {
		after  time.Duration
		others map[string]string
		want   []string
	}{
		{0, map[string]string{"n2": "old", "n3": "new"}, nil},
		{50 * time.Second, map[string]string{"n2": "old", "n3": "old"}, nil},
		{60 * time.Second, map[string]string{"n2": "old", "n3": "old"}, nil},
		{61 * time.Second, map[string]string{"n2": "older", "n3": "old"}, []string{"n2"}},
		{111 * time.Second, map[string]string{"n2": "old", "n3": "old"}, []string{"n2", "n3"}},
		{112 * time.Second, map[string]string{"n2": "new", "n3": "old"}, []string{"n3"}},
		{113 * time.Second, map[string]string{"n2": "old"}, nil},
	} {
		now := begin.Add(step.after)
		d.note("new", step.others, now)
		if got := d.nodes(now); !slices.Equal(got, step.want) {
			t.Errorf("after %v: got %q, want %q", step.after, got, step.want)
		}
	}
}
