package e2e

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"ssod/bench/process"
)

// startPiped starts a process whose log goes to a pipe, and returns the end that it
// is read from.
func (n *node) startPiped() *os.File {
	n.Helper()
	reader, writer, err := os.Pipe()
	must(n, err)
	n.Cleanup(func() { _ = reader.Close() })
	// As little as a pipe can hold, so that it is full soon.
	_, err = unix.FcntlInt(writer.Fd(), unix.F_SETPIPE_SZ, os.Getpagesize())
	must(n, err)
	cmd := n.Command()
	cmd.Stderr = writer
	n.Process, err = process.Run(cmd)
	must(n, err)
	must(n, writer.Close()) // the process has its own copy
	n.AwaitReady()
	return reader
}

// logMuch makes the node log more than the pipe holds.
func (n *node) logMuch() {
	n.Helper()
	for range 4 * os.Getpagesize() / 200 { // a line is longer than that
		if status, _ := n.Page("/admin/v1/cluster"); status != http.StatusOK {
			n.Fatalf("an admin call is answered %d", status)
		}
	}
}

// Whoever reads the log may stand still or go away: the node serves, and stops.
func TestTheReaderOfTheLog(t *testing.T) {
	t.Parallel()
	t.Run("stands still", func(t *testing.T) {
		t.Parallel()
		n := newNode(t, plainConfig)
		n.startPiped()
		n.logMuch()
		a, host := n.mustApp("one"), newDevice("host")
		must(t, a.mint(t.Context(), host, "viewer"))
		must(t, a.refresh(t.Context(), host))
		n.stops()
	})
	t.Run("is gone", func(t *testing.T) {
		t.Parallel()
		n := newNode(t, plainConfig)
		must(t, n.startPiped().Close())
		n.logMuch()
		must(t, n.mustApp("one").mint(t.Context(), newDevice("host"), "viewer"))
		until(t, "dropped lines are counted", func() bool {
			text := n.page("/metrics")
			return strings.Contains(text, "\nssod_log_lines_dropped_total ") && !strings.Contains(text, "\nssod_log_lines_dropped_total 0\n")
		})
		n.stops()
	})
}
