package ssodtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// buildDir holds the programs under test until the tests are over.
var buildDir string

// Main runs the tests of a package with a directory for the programs that they build.
func Main(m *testing.M) int {
	var err error
	if buildDir, err = os.MkdirTemp("", "ssod-programs-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(buildDir)
	return m.Run()
}

// Program is the path of a program, which is built when it is first asked for.
type Program func() (string, error)

// The programs.
var (
	SSOD   = program("ssod/cmd/ssod")
	SSOCTL = program("ssod/cmd/ssoctl")
	Bench  = program("ssod/bench")
	// Next is the version that comes next: it knows a format level more.
	Next = program("ssod/cmd/ssod", "nextlevel")
	// Settable is an ssod whose clock can be set: SHIFTED_CLOCK_FILE.
	Settable = program("ssod/cmd/ssod", "shiftedclock")
)

// Long says that the volumes of a long run are wanted.
func Long() bool { return os.Getenv("SSOD_LONG") != "" }

// program builds a program with build tags. In a long run it is the static one of
// make build, which a fresh machine takes a minute for: all of its memory is Go's.
func program(path string, tags ...string) Program {
	return sync.OnceValues(func() (string, error) {
		binary := filepath.Join(buildDir, strings.Join(append([]string{filepath.Base(path)}, tags...), "-"))
		cmd := exec.Command("go", "build", "-tags", strings.Join(tags, ","), "-o", binary, path)
		if Long() {
			cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build %s: %w\n%s", path, err, out)
		}
		return binary, nil
	})
}

// Command is a call of the program.
func (p Program) Command(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	binary, err := p()
	must(t, err)
	return exec.CommandContext(t.Context(), binary, args...)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
