package faultrun

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// buildDir holds the programs under test.
var buildDir string

// Main runs the tests of a package with a directory for the programs that they
// build. Started as a gate it becomes the program behind that.
func Main(m *testing.M) int {
	if len(os.Args) > 2 && os.Args[1] == gateArg {
		fmt.Fprintln(os.Stderr, passGate(os.Args[2:]))
		return 1
	}
	var err error
	if buildDir, err = os.MkdirTemp("", "ssod-faultrun-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(buildDir)
	return m.Run()
}

// The programs are built once; each returns its path.
var (
	ssod   = sync.OnceValues(func() (string, error) { return build("ssod", "ssod") })
	ssoctl = sync.OnceValues(func() (string, error) { return build("ssoctl", "ssoctl") })
	// next is the version that comes next: it knows a format level more.
	next = sync.OnceValues(func() (string, error) { return build("ssod", "ssod-next", "-tags", "nextlevel") })
	// settable is an ssod whose clock can be set; see [Node.SetClock].
	settable = sync.OnceValues(func() (string, error) { return build("ssod", "ssod-shiftedclock", "-tags", "shiftedclock") })
)

// build builds a program from cmd under a file name of its own.
func build(name, as string, flags ...string) (string, error) {
	binary := filepath.Join(buildDir, as)
	args := slices.Concat([]string{"build"}, flags, []string{"-o", binary, "ssod/cmd/" + name})
	out, err := exec.Command("go", args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return binary, nil
}
