package node_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ssod/cmd/internal/node"
)

// A flag that says otherwise than the cluster was founded changes nothing, and the
// operator hears of it; one that is not given says nothing.
func TestFlagsFoundAClusterAndNothingElse(t *testing.T) {
	const warning = "a flag has no effect"
	c := settings(t)
	c.Replicas = 1
	settingsOf(t, c)
	tests := []struct {
		name      string
		replicas  int
		deadAfter time.Duration
		warns     []string
	}{
		{"as founded", 1, 5 * time.Minute, nil},
		{"not given", 0, 0, nil},
		{"otherwise", 5, time.Hour, []string{"--replicas", "ssoctl cluster set replicas=5", "--dead-after", "ssoctl cluster set dead-after=1h0m0s"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log strings.Builder
			c.Replicas, c.DeadAfter, c.Log = tt.replicas, tt.deadAfter, slog.New(slog.NewTextHandler(&log, nil))
			if view := settingsOf(t, c); !strings.Contains(view, `"replicas": "1"`) {
				t.Errorf("the cluster has other settings than it was founded with: %s", view)
			}
			if got := strings.Contains(log.String(), warning); got != (tt.warns != nil) {
				t.Errorf("warned %v, want %v:\n%s", got, tt.warns != nil, log.String())
			}
			for _, want := range tt.warns {
				if !strings.Contains(log.String(), want) {
					t.Errorf("the log does not say %q:\n%s", want, log.String())
				}
			}
		})
	}
}

// settingsOf starts a node, and returns when it has stopped what it has said of the
// cluster.
func settingsOf(t *testing.T, c node.Config) string {
	t.Helper()
	n, err := node.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	_, view := get(t, "http://"+n.Admin()+"/admin/v1/cluster")
	if err := n.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	return view
}
