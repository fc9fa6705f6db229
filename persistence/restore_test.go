package persistence

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// A directory that is being restored is opened by nobody else, wherever that was
// interrupted, until it is finished.
func TestARestoreThatIsNotFinishedDoesNotStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	refused := func(when string) {
		t.Helper()
		if _, _, err := ReadIdentity(dir); !errors.Is(err, ErrUnfinished) {
			t.Errorf("%s: identity: got %v", when, err)
		}
		if s, err := Open(Options{Dir: dir, Logger: quiet}); !errors.Is(err, ErrUnfinished) {
			t.Errorf("%s: open: got %v, %v", when, s, err)
		}
	}
	if err := BeginRestore(dir); err != nil {
		t.Fatal(err)
	}
	refused("begun")
	if err := BeginRestore(dir); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("begun twice: got %v", err)
	}
	s := openStore(t, Options{Dir: dir, FS: vfs.Default, Shards: 2, Restore: true})
	cluster := s.Identity().Cluster
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	refused("filled")
	if err := EndRestore(dir); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, Options{Dir: dir, FS: vfs.Default})
	if s.Identity().Cluster != cluster {
		t.Error("another cluster was founded")
	}
}

func TestARestoreNeedsAnEmptyDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "lost+found"), 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "something")
	if err := os.WriteFile(file, []byte("of value"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := BeginRestore(dir); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Errorf("what was there: %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := BeginRestore(dir); err != nil {
		t.Fatalf("with lost+found only: %v", err)
	}
	s := openStore(t, Options{Dir: dir, FS: vfs.Default, Shards: 2, Restore: true})
	if err := errors.Join(s.Close(), AbandonRestore(dir)); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 || left[0].Name() != "lost+found" {
		t.Errorf("a restore that was given up leaves %v, %v", left, err)
	}
}
