package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ssod/cmd/internal/contents"
	"ssod/cmd/internal/node"
	"ssod/persistence/backup"
)

// reported is what ssod restore says.
func reported(t *testing.T, data string, done *node.Restored) string {
	t.Helper()
	if done.Contents == nil {
		done.Contents = &contents.Summary{}
	}
	done.Contents.Header = &backup.Header{Cluster: "old"}
	var said strings.Builder
	(&restoreFlags{Data: data}).report(&said, "n7", done)
	return said.String()
}

// The commands of the report start the restored node as they are: a shell runs them, with
// a program of the name of ssod that only notes its arguments.
func TestTheReportOfARestoreHasTheCommandsToStart(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell")
	}
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("no openssl, which makes the secret")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ssod"), []byte("#!/bin/sh\nprintf '%s\\n' \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	var commands []string
	for line := range strings.Lines(reported(t, "/srv/viewers' data", &node.Restored{})) {
		if command, ok := strings.CutPrefix(line, "  "); ok {
			commands = append(commands, command)
		}
	}
	cmd := exec.CommandContext(t.Context(), shell, "-ec", strings.Join(commands, ""))
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %q", err, commands)
	}
	var f flags
	args := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if newCommandLine(&f, io.Discard, io.Discard).parse(args) || f.Data != "/srv/viewers' data" || f.Node != "n7" || f.Config != "ssod.yaml" {
		t.Errorf("ssod %q: data %q, node %q, config %q", args, f.Data, f.Node, f.Config)
	}
	c := node.Config{Secret: filepath.Join(dir, f.ClusterSecret), Data: dir}
	if err := c.CheckSecrets(); err != nil || f.ClusterSecret == "" {
		t.Errorf("the secret %q: %v", f.ClusterSecret, err)
	}
	if _, err := os.Stat(c.Secret); err != nil {
		t.Error(err)
	}
}

// Who restores on a machine whose clock is not that of the old cluster is told.
func TestTheReportOfARestoreComparesTheClock(t *testing.T) {
	for ahead, want := range map[time.Duration]string{
		9 * time.Hour: "clock is 9h0m0s ahead of", -9 * time.Hour: "clock is 9h0m0s BEHIND", 20 * time.Minute: "", 0: "",
	} {
		said := reported(t, "d", &node.Restored{Leap: ahead, Contents: &contents.Summary{Confirmed: time.Unix(1e9, 0)}})
		if !strings.Contains(said, want) || want == "" && strings.Contains(said, "machine's clock") {
			t.Errorf("%v ahead: want %q in\n%s", ahead, want, said)
		}
	}
}
