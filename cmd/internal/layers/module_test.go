package layers

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// home is a name that the module is given for a test.
const home = "git.example.org/tv/ssod"

// published are the packages that programs elsewhere use. What their examples import
// beside the standard library is in them.
var published = []string{"httpfront/client", "httpfront/token/media/verifier"}

// TestModuleIsRenamed renames a copy of the module and builds the examples of its
// published packages from a module elsewhere, without a network.
func TestModuleIsRenamed(t *testing.T) {
	was := strings.TrimSpace(in(t, ".", "go", "list", "-m"))
	root := copyOfTree(t)
	in(t, root, "make", "module", "MODULE="+home)

	// Every import of every package and test leads somewhere.
	in(t, root, "go", "list", "-deps", "-test", "./...")
	if left := in(t, root, "sh", "-c", `git grep -nE '(^|[^A-Za-z0-9_./-])`+was+`/(actors|bench|cluster|cmd|httpfront|persistence)([^A-Za-z0-9_-]|$)' -- ':!*.patch' || true`); left != "" {
		t.Errorf("the old name is still there:\n%s", left)
	}
	if text, err := os.ReadFile(filepath.Join(root, "actors/profile/profile.pb.go")); err != nil || !strings.Contains(string(text), "Z&"+home+"/actors/profileb") {
		t.Errorf("the protobuf code was not generated again: %v", err) // Z is go_package, & the length of the text
	}
	in(t, root, "go", "test", "-skip", "TestModule", "./cmd/internal/layers")
	if os.Getenv("SSOD_LONG") != "" {
		in(t, root, "go", "vet", "-trimpath", "./...")
		run(t, root, nil, "make", "build", "check") // it fetches its tools
		in(t, root, "go", "test", "-trimpath", "./actors/profile", "./httpfront/client")
	}
	buildElsewhere(t, root)
}

// copyOfTree copies what git knows or would add, as a repository of its own.
func copyOfTree(t *testing.T) string {
	t.Helper()
	if exec.Command("git", "rev-parse", "--git-dir").Run() != nil {
		t.Skip("this is no checkout of git")
	}
	top, root := strings.TrimSpace(in(t, ".", "git", "rev-parse", "--show-toplevel")), t.TempDir()
	for _, file := range strings.Fields(in(t, top, "git", "ls-files", "--cached", "--others", "--exclude-standard")) {
		text, err := os.ReadFile(filepath.Join(top, file))
		if os.IsNotExist(err) {
			continue // deleted, and not yet committed
		}
		must(t, err)
		info, err := os.Stat(filepath.Join(top, file))
		must(t, err)
		must(t, os.MkdirAll(filepath.Join(root, filepath.Dir(file)), 0o700))
		must(t, os.WriteFile(filepath.Join(root, file), text, info.Mode()))
	}
	in(t, root, "git", "init", "--quiet")
	in(t, root, "git", "add", "--all")
	return root
}

// buildElsewhere runs the examples in an empty module that finds ours in a directory.
func buildElsewhere(t *testing.T, root string) {
	t.Helper()
	app := t.TempDir()
	write := func(name string, text []byte) {
		must(t, os.MkdirAll(filepath.Join(app, filepath.Dir(name)), 0o700))
		must(t, os.WriteFile(filepath.Join(app, name), text, 0o600))
	}
	version := strings.TrimSpace(in(t, root, "go", "list", "-m", "-f", "{{.GoVersion}}"))
	write("go.mod", []byte("module example.com/app\n\ngo "+version+"\n\nrequire "+home+" v0.0.0\n\nreplace "+home+" => "+root+"\n"))
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	must(t, err)
	write("go.sum", sums)
	for _, name := range published {
		text, err := os.ReadFile(filepath.Join(root, name, "example_test.go"))
		must(t, err)
		write(filepath.Join(name, "example_test.go"), text)
	}
	said := in(t, app, "go", "test", "-mod=mod", "-v", "./...")
	if ran := strings.Count(said, "--- PASS: Example"); ran < 5 {
		t.Errorf("%d examples ran:\n%s", ran, said)
	}
}

// in is run without a network.
func in(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	return run(t, dir, []string{"GOPROXY=off"}, name, args...)
}

// run runs a command in a directory without flags that are this module's, and returns
// what it says.
func run(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(append(cmd.Environ(), "GOFLAGS=", "CGO_ENABLED=0", "MAKEFLAGS="), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
