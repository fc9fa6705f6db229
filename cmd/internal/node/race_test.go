//go:build race

package node_test

import (
	"os/exec"
	"testing"
)

// The tests of several nodes in one process run without the race detector: each
// start of an actor transport sets grpc's logger, a global variable without a lock
// (protoactor-go, remote.Start), while the nodes that run read it. A process of
// ssod has one node, and that is what the detector watches elsewhere.
func TestNodesInOneProcess(t *testing.T) {
	if out, err := exec.CommandContext(t.Context(), "go", "test", "-count=1", ".").CombinedOutput(); err != nil {
		t.Errorf("without the race detector: %v\n%s", err, out)
	}
}
