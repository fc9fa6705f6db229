// Package scripttest runs the scripts that test the command lines of the
// programs. Beside the commands of testscript they have
//
//	status N program args...  runs a program, which must end with status N
//	node start DIR [NAME]     starts a node in this process on a data directory
//	node stop                 stops it; a script that ends stops it too
//
// A started node reads ssod.yaml in the script's directory if there is one,
// and its admin address is in $SSOCTL_ADMIN.
package scripttest

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"ssod/cmd/internal/node"
)

// nodeKey is where a script's node is kept.
type nodeKey struct{}

// holder is a script's node.
type holder struct{ node *node.Node }

// Run runs the scripts of a directory, one subtest for each.
func Run(t *testing.T, dir string) {
	t.Helper()
	testscript.Run(t, testscript.Params{
		Dir: dir,
		Setup: func(e *testscript.Env) error {
			h := &holder{}
			e.Values[nodeKey{}] = h
			e.Defer(func() { _ = h.stop() })
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": status, "node": manage},
	})
}

// status runs a program and compares its exit status.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N program args...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got, err = exit.ExitCode(), nil
	}
	ts.Check(err)
	if got != want {
		ts.Fatalf("%s ended with status %d, want %d", args[1], got, want)
	}
}

// manage starts and stops the script's node.
func manage(ts *testscript.TestScript, neg bool, args []string) {
	h := ts.Value(nodeKey{}).(*holder)
	switch {
	case !neg && len(args) == 1 && args[0] == "stop":
		ts.Check(h.stop())
	case !neg && len(args) >= 2 && len(args) <= 3 && args[0] == "start":
		h.start(ts, args[1:])
	default:
		ts.Fatalf("usage: node start DIR [NAME] | node stop")
	}
}

func (h *holder) start(ts *testscript.TestScript, args []string) {
	ts.Check(h.stop())
	c := node.Config{
		Data: ts.MkAbs(args[0]), DefaultName: "n1", HTTP: "127.0.0.1:0", Admin: "127.0.0.1:0", RPC: "127.0.0.1:7947", Shards: 4,
		Log: slog.New(slog.DiscardHandler),
	}
	if len(args) == 2 {
		c.Name = args[1]
	}
	if file := ts.MkAbs("ssod.yaml"); exists(file) {
		c.File = file
	}
	n, err := node.Start(context.Background(), c)
	ts.Check(err)
	h.node = n
	ts.Setenv("SSOCTL_ADMIN", n.Admin())
}

func (h *holder) stop() error {
	n := h.node
	if h.node = nil; n == nil {
		return nil
	}
	return n.Stop(context.Background())
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}
