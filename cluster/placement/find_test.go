package placement_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"ssod/cluster/placement"
)

// TestTooMuchIsFoundOnce: a node that refuses to go on is not asked again and again.
func TestTooMuchIsFoundOnce(t *testing.T) {
	c := newCluster(t)
	p := c.nodes[c.found("n1")].placement
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if found, err := p.Find(ctx, "profile", nil); len(found) > 0 || err != nil {
		t.Fatalf("where there is nothing: found %q, %v", found, err)
	}
	placement.SetMaxFound(t.Cleanup, -1) // nothing is too much already
	if _, err := p.Find(ctx, "profile", nil); !errors.Is(err, placement.ErrRefused) || ctx.Err() != nil {
		t.Errorf("got %v, want ErrRefused at once", err)
	}
}
