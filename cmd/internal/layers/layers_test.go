// Package layers has no code: its test keeps the direction in which packages
// may depend on each other.
package layers

import (
	"os/exec"
	"strings"
	"testing"
)

// forbidden says what the packages below a directory must not import, directly
// or through others: httpfront -> actors -> cluster ->
// persistence.
var forbidden = map[string][]string{
	"ssod/persistence": {
		"ssod/cluster", "ssod/actors", "ssod/httpfront", "ssod/cmd", "ssod/bench",
		"github.com/asynkron/protoactor-go", "github.com/valyala/fasthttp",
	},
	"ssod/persistence/raftlog": {"ssod/persistence/state"},
	"ssod/persistence/state":   {"ssod/persistence/raftlog"},
	"ssod/persistence/db":      {"ssod/persistence/raftlog", "ssod/persistence/state"},
	"ssod/persistence/layout":  {"ssod/persistence/db", "ssod/persistence/disk"},
	"ssod/persistence/disk":    {"ssod/persistence/data", "ssod/persistence/layout"},
	"ssod/persistence/data":    {"github.com/cockroachdb/pebble/v2"},
	"ssod/cluster":             {"ssod/actors", "ssod/httpfront", "ssod/cmd", "ssod/bench", "github.com/asynkron/protoactor-go", "github.com/valyala/fasthttp"},
	"ssod/actors":              {"ssod/httpfront", "ssod/cmd", "ssod/bench", "github.com/valyala/fasthttp"},
	"ssod/httpfront": {
		"ssod/cmd", "ssod/bench", "ssod/cluster/meta", "ssod/cluster/faulty", "ssod/cluster/replica",
	},
	"ssod/bench": {"ssod/persistence", "ssod/cluster", "ssod/actors", "ssod/httpfront", "ssod/cmd"},
}

// forbiddenDirectly says what they must not name themselves: a third party's
// types stay at the edge, whoever is behind it.
var forbiddenDirectly = map[string][]string{
	"ssod/persistence": {"net/http"},
	"ssod/cluster":     {"github.com/cockroachdb/pebble/v2", "net/http"},
	"ssod/actors":      {"ssod/persistence", "github.com/cockroachdb/pebble/v2", "net/http", "go.etcd.io/raft/v3"},
	"ssod/httpfront":   {"ssod/persistence", "github.com/cockroachdb/pebble/v2", "github.com/asynkron/protoactor-go", "go.etcd.io/raft/v3"},
}

func TestPackagesDependDownwards(t *testing.T) {
	for from, deps := range list(t, "Deps") {
		for layer, names := range forbidden {
			report(t, from, layer, deps, names)
		}
	}
}

func TestThirdPartiesStayAtTheEdge(t *testing.T) {
	for from, imports := range list(t, "Imports") {
		for layer, names := range forbiddenDirectly {
			report(t, from, layer, imports, names)
		}
	}
}

func TestEveryLayerIsLookedAt(t *testing.T) {
	packages := list(t, "Imports")
	for layer := range forbidden {
		if _, ok := packages[layer]; !ok {
			t.Errorf("there is no package %s", layer)
		}
	}
}

// report complains of what a package of the layer must not depend on.
func report(t *testing.T, from, layer string, deps, names []string) {
	t.Helper()
	if !within(from, layer) || isSupport(from) {
		return
	}
	for _, dep := range deps {
		for _, name := range names {
			if within(dep, name) {
				t.Errorf("%s depends on %s", from, dep)
			}
		}
	}
}

// isSupport reports whether a package is there for tests only: like a test
// file, it may put together whatever it needs.
func isSupport(path string) bool {
	return strings.HasPrefix(path, "ssod/") &&
		(strings.HasSuffix(path, "test") || within(path, "ssod/httpfront/fronttest") || within(path, "ssod/cluster/faulty"))
}

func TestNoProgramContainsTestSupport(t *testing.T) {
	for from, deps := range list(t, "Deps") {
		for _, dep := range deps {
			if strings.HasPrefix(from, "ssod/cmd/sso") && isSupport(dep) {
				t.Errorf("%s depends on %s", from, dep)
			}
		}
	}
}

func within(path, directory string) bool {
	return path == directory || strings.HasPrefix(path, directory+"/")
}

// list maps every package of the module to a list that go list has of it.
func list(t *testing.T, field string) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .`+field+`}} {{.}}{{end}}`, "ssod/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		packages[words[0]] = words[1:]
	}
	return packages
}
