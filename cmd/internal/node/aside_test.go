package node

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// oldData are the files of a node that was removed.
var oldData = []string{"identity.json", "db/000001.log", "sealing.key", "lost+found/x", "removed-1/identity.json"}

// fillData makes a directory of a removed node.
func fillData(t *testing.T, data string) *removedError {
	t.Helper()
	for _, name := range oldData {
		path := filepath.Join(data, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(name), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return &removedError{By: "n1", Name: "n3", ID: 3, Seeds: []string{"127.0.0.1:1"}, log: slog.New(slog.DiscardHandler).Warn}
}

// wantAside wants all files of the old data in removed-3, and the rest where it was.
func wantAside(t *testing.T, data string) {
	t.Helper()
	var got []string
	err := filepath.WalkDir(data, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			name, _ := filepath.Rel(data, path)
			got = append(got, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	want := []string{"lost+found/x", "removed-1/identity.json", "removed-3/db/000001.log", "removed-3/identity.json", "removed-3/removed.json"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if again, err := marked(Config{Data: data}); again != nil || err != nil {
		t.Errorf("the directory is still marked: %v, %v", again, err)
	}
}

// A data directory that is a mount point keeps its name, so what is in it is put aside
// inside. On Linux root may mount one.
func TestDataAtAMountPointIsPutAsideInside(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := mountMemory(data); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := unmount(data); err != nil {
			t.Error(err)
		}
	})
	e := fillData(t, data)
	if _, err := e.anew(Config{Data: data, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	wantAside(t, data)
}

// A directory that cannot be renamed for other reasons, too; other failures are told.
func TestDataThatCannotBeRenamedIsPutAsideInside(t *testing.T) {
	for _, reason := range []error{syscall.EBUSY, syscall.EXDEV, syscall.EACCES, syscall.EPERM, syscall.EROFS, syscall.ENOTEMPTY} {
		t.Run(reason.Error(), func(t *testing.T) {
			data := t.TempDir()
			e := fillData(t, data)
			aside, err := e.putAside(data, func(from, to string) error { return &os.LinkError{Op: "rename", Old: from, New: to, Err: reason} })
			if reason == syscall.ENOTEMPTY {
				if !errors.Is(err, reason) {
					t.Errorf("got %q, %v", aside, err)
				}
				return
			}
			if err != nil || aside != filepath.Join(data, "removed-3") {
				t.Fatalf("got %q, %v", aside, err)
			}
			wantAside(t, data)
		})
	}
}

// A crash leaves some of the files moved and the mark in place: the next start goes on.
func TestACrashWhileDataIsPutAsideInside(t *testing.T) {
	for moved := range 3 {
		t.Run(fmt.Sprint("after ", moved), func(t *testing.T) {
			data := t.TempDir()
			crash(t, fillData(t, data), data, 4)
			if err := os.Mkdir(filepath.Join(data, "removed-3"), 0o700); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"db", "identity.json"}[:moved] {
				if err := os.Rename(filepath.Join(data, name), filepath.Join(data, "removed-3", name)); err != nil {
					t.Fatal(err)
				}
			}
			found, err := marked(Config{Data: data, Log: slog.New(slog.DiscardHandler)})
			if found == nil || err != nil {
				t.Fatalf("marked: %v, %v", found, err)
			}
			if _, err := found.putAside(data, func(_, _ string) error { return syscall.EBUSY }); err != nil {
				t.Fatal(err)
			}
			wantAside(t, data)
		})
	}
}
