package disk

import (
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// A sync that hangs is named, and no more when it is over.
func TestWhatTheDiskIsAtHasAName(t *testing.T) {
	var gate sync.RWMutex
	waiting := make(chan struct{}, 1)
	mem := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData {
			waiting <- struct{}{}
			gate.RLock()
			defer gate.RUnlock()
		}
		return nil
	}))
	fs := NewBusyFS(mem)
	f, err := fs.Create("dir-less.log", vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := fs.Oldest(); got != "" {
		t.Errorf("at rest: got %q", got)
	}
	for name, sync := range map[string]func() error{"Sync": f.Sync, "SyncData": f.SyncData} {
		gate.Lock()
		done := make(chan error, 1)
		go func() { done <- sync() }()
		<-waiting
		if got := fs.Oldest(); !strings.HasPrefix(got, "sync of dir-less.log has taken ") {
			t.Errorf("while %s hangs: got %q", name, got)
		}
		gate.Unlock()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if got := fs.Oldest(); got != "" {
			t.Errorf("after %s: got %q", name, got)
		}
	}
}

// Whoever waits for a store to be opened is told what that waits for.
func TestASlowOpenSaysSo(t *testing.T) {
	b := NewBusyFS(vfs.NewMem())
	defer b.begin("sync", "store/MANIFEST-000001")()
	lines, out := io.Pipe()
	end := b.SayOpening(slog.New(slog.NewTextHandler(out, nil)), time.Millisecond)
	line := make([]byte, 4096)
	n, err := lines.Read(line)
	if got := string(line[:n]); err != nil || !strings.Contains(got, "sync of MANIFEST-000001 has taken") || !strings.Contains(got, "opening takes long") {
		t.Errorf("got %q, %v", got, err)
	}
	lines.Close()
	end()
}
