package faultrun

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// buildDir holds the program under test.
var buildDir string

// Main runs the tests of a package with a directory for the program that they
// build.
func Main(m *testing.M) int {
	var err error
	if buildDir, err = os.MkdirTemp("", "ssod-faultrun-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(buildDir)
	return m.Run()
}

// program builds ssod once and returns its path.
var program = sync.OnceValues(func() (string, error) {
	binary := filepath.Join(buildDir, "ssod")
	out, err := exec.Command("go", "build", "-o", binary, "ssod/cmd/ssod").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build ssod: %w\n%s", err, out)
	}
	return binary, nil
})
