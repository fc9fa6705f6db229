package benchrun

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"ssod/cmd/internal/pagetest"
)

// TestCommandsOfThePages have flags that there are: with --help behind them nothing is
// measured, and what is unknown is refused all the same.
func TestCommandsOfThePages(t *testing.T) {
	bench, dir := build(t, t.TempDir(), "ssobench", "ssod/bench"), t.TempDir()
	for _, named := range []string{"bin/1c60b06", "DIR"} {
		if err := os.MkdirAll(filepath.Join(dir, named), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range pagetest.Typed(t, "../../../bench/docs/*.md", "ssobench") {
		cmd := exec.CommandContext(t.Context(), bench, append(args, "--help")...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("ssobench %q: %v\n%s", args, err, out)
		}
	}
}
