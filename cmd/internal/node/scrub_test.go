package node

import (
	"context"
	"errors"
	"strings"
	"testing"

	"ssod/actors/erasure"
	"ssod/cluster"
	"ssod/cluster/placement"
	"ssod/httpfront/api/admin"
)

// Whoever waits for an erasure that fails is told where, whatever was wrong there.
func TestAFailedErasureSaysWhere(t *testing.T) {
	n := &Node{scrubber: placement.NewScrubber(nil, nil)}
	defer n.scrubber.Close()
	e := operatorsEraser{n: n}
	job, err := n.scrubber.Begin(func(context.Context) (any, error) { return nil, errors.New("node n2: connection refused") })
	if err != nil {
		t.Fatal(err)
	}
	if _, done, err := e.Await(t.Context(), job); done || !errors.Is(err, admin.ErrUnfinished) || !strings.Contains(err.Error(), "node n2") {
		t.Errorf("got done: %v, %v, want ErrUnfinished that names node n2", done, err)
	}
	if _, _, err := e.Await(t.Context(), "another"); !errors.Is(err, admin.ErrNoErasure) {
		t.Errorf("a job that is unknown: got %v, want ErrNoErasure", err)
	}
	if err := n.scrubber.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Begin(erasure.Target{}); !errors.Is(err, cluster.ErrRefused) {
		t.Errorf("on a node that stops: got %v, want ErrRefused", err)
	}
}
