package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ssod/cmd/internal/ssodtest"
)

// session is the README's shell commands for newcomers, all blocks of them.
func session(t *testing.T) string {
	t.Helper()
	readme, err := os.ReadFile("../../../README.md")
	must(t, err)
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(readme, -1)
	if len(blocks) == 0 {
		t.Fatal("the README has no block of shell commands")
	}
	var all strings.Builder
	for _, block := range blocks {
		all.Write(block[1])
	}
	return all.String()
}

// The README's session runs as printed, but for the ports, on the built-in
// configuration, in a directory that has bin/ as a clone has after make run.
func TestReadmeSession(t *testing.T) {
	t.Parallel()
	n := startNode(t, "", "--config", "")
	bin := filepath.Join(n.Dir, "bin")
	must(t, os.Mkdir(bin, 0o700))
	linkProgram(t, ssodtest.SSOCTL, filepath.Join(bin, "ssoctl"))
	script := strings.ReplaceAll(session(t), "127.0.0.1:8080", n.HTTP)
	cmd := exec.CommandContext(t.Context(), "bash", "-eu", "-c", script)
	cmd.Dir = n.Dir
	cmd.Env = append(os.Environ(), "SSOCTL_ADMIN="+n.Admin)
	stdout, err := cmd.Output()
	if err != nil {
		t.Fatalf("the session: %v", err)
	}
	lines := strings.Split(strings.TrimSpace(string(stdout)), "\n")
	want := []string{
		`^type this on the TV: [0-9]{6}$`,
		`^\{"devices":\{"cGhvbmUtMQ==":\{.*"type":"regular"\},"dHYtMQ==":\{.*"type":"sso"\}\}\}$`,
		`^\{"status":"OK","unlinkedDevices":\["dHYtMQ=="\]\}$`,
		`"code":"token_invalid"`,
		`"actionName":"authenticate".*"url":"/api/v2/authenticate/demo/[0-9A-Z]{7}"`,
	}
	if len(lines) != len(want) {
		t.Fatalf("the session printed %d lines, want %d:\n%s", len(lines), len(want), stdout)
	}
	for i, w := range want {
		if !regexp.MustCompile(w).MatchString(lines[i]) {
			t.Errorf("line %d: got %q, want a match of %q", i+1, lines[i], w)
		}
	}
}
