package e2e

import (
	"net"
	"path/filepath"
	"testing"
	"time"
)

// TestSystemdHears when a node is ready and when it stops (sd_notify(3)).
func TestSystemdHears(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "notify")
	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	must(t, err)
	defer systemd.Close()
	n := newNode(t, crashConfig)
	n.Env = []string{"NOTIFY_SOCKET=" + socket}
	hears := func(want string) {
		t.Helper()
		must(t, systemd.SetReadDeadline(time.Now().Add(time.Minute)))
		message := make([]byte, 256)
		size, err := systemd.Read(message)
		if got := string(message[:size]); err != nil || got != want {
			t.Fatalf("systemd hears %q, %v, want %q", got, err, want)
		}
	}
	n.Start()
	hears("READY=1")
	n.stop()
	hears("STOPPING=1")
}
