//go:build race

package node_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The tests of several nodes in one process run without the race detector: each
// start of an actor transport sets grpc's logger, a global variable without a lock
// (protoactor-go, remote.Start), while the nodes that run read it. A process of
// ssod has one node, and that is what the detector watches elsewhere.
func TestNodesInOneProcess(t *testing.T) {
	tests := testsWithoutRace(t)
	if len(tests) == 0 {
		t.Fatal("no test is kept from the race detector")
	}
	run := "^(" + strings.Join(tests, "|") + ")$"
	if out, err := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-run", run, ".").CombinedOutput(); err != nil {
		t.Errorf("without the race detector: %v\n%s", err, out)
	}
}

// testsWithoutRace are the tests in files that are left out of this build.
func testsWithoutRace(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(source), "//go:build !race\n") {
			continue
		}
		for _, found := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(string(source), -1) {
			names = append(names, found[1])
		}
	}
	return names
}
