package client_test

import (
	"os/exec"
	"strings"
	"testing"
)

// Who uses the client takes nothing else with it.
func TestStandardLibraryOnly(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	must(t, err)
	if deps := strings.Fields(string(out)); len(deps) != 1 || !strings.HasSuffix(deps[0], "/httpfront/client") {
		t.Errorf("the client depends on %q", deps)
	}
}
