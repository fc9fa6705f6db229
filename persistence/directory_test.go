package persistence

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// created returns a file system with a store of node n1 that was closed.
func created(t *testing.T) *vfs.MemFS {
	t.Helper()
	mem := vfs.NewCrashableMem()
	s := openStore(t, Options{FS: mem, Shards: 8})
	if err := apply(s, Commit{Entity: viewer}, time.UnixMilli(1)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return mem
}

func writeFile(t *testing.T, fs vfs.FS, name string, content []byte) {
	t.Helper()
	f, err := fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(content)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, fs vfs.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestIdentityIsKept(t *testing.T) {
	mem := created(t)
	first := openStore(t, Options{FS: mem, Node: "n1", Shards: 99})
	got := first.Identity()
	if got.Node != "n1" || got.Shards != 8 || got.NodeID != 1 || len(got.Cluster) != 32 || got.Format != Format {
		t.Errorf("got %+v", got)
	}
	first.Close()
	if again := openStore(t, Options{FS: mem}).Identity(); again != got {
		t.Errorf("opened again: got %+v, want %+v", again, got)
	}
	if other := openStore(t, Options{}).Identity(); other.Cluster == got.Cluster {
		t.Error("two clusters have the same id")
	}
}

func TestRefusedDirectories(t *testing.T) {
	replace := func(old, new string) func(*testing.T, *vfs.MemFS) {
		return func(t *testing.T, mem *vfs.MemFS) {
			b := readFile(t, mem, "data/identity.json")
			writeFile(t, mem, "data/identity.json", bytes.Replace(b, []byte(old), []byte(new), 1))
		}
	}
	remove := func(name string) func(*testing.T, *vfs.MemFS) {
		return func(t *testing.T, mem *vfs.MemFS) {
			if err := mem.RemoveAll(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := []struct {
		name   string
		node   string
		change func(*testing.T, *vfs.MemFS)
		want   error
		says   string
	}{
		{"another node", "n2", nil, ErrOtherNode, "start with --node n1 or choose another --data directory"},
		{"older format", "", replace(`"format":3`, `"format":2`), ErrOlderFormat, "begin with an empty directory"},
		{"newer format", "", replace(`"format":3`, `"format":4,"new":[]`), ErrNewerFormat, "start the version that wrote it"},
		{"identity of another cluster", "", replace(`"cluster":"`, `"cluster":"f`), ErrDamaged, "joins again with an empty one"},
		{"identity that is not JSON", "", replace(`{`, ``), ErrDamaged, "joins again with an empty one"},
		{"no shards", "", replace(`"shards":8`, `"shards":0`), ErrDamaged, "joins again with an empty one"},
		{"no store", "", remove("data/store"), ErrDamaged, "MANIFEST missing"},
		{"newer Pebble", "", func(t *testing.T, mem *vfs.MemFS) {
			writeFile(t, mem, "data/store/marker.format-version.999999.999", nil)
		}, ErrNewerFormat, "start the version that wrote it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mem := created(t)
			if tt.change != nil {
				tt.change(t, mem)
			}
			before := copyOf(mem).String()
			_, err := Open(Options{Dir: "data", FS: mem, Node: tt.node, DefaultNode: "n1", Logger: quiet})
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("got %v, want %v that says %q", err, tt.want, tt.says)
			}
			if after := mem.String(); tt.want != ErrDamaged && after != before {
				t.Errorf("the directory was changed from\n%s to\n%s", before, after)
			}
		})
	}
}

func TestInterruptedCreation(t *testing.T) {
	mem := created(t)
	want := openStore(t, Options{FS: mem}).Identity()
	mem = created(t)
	if err := mem.Remove("data/identity.json"); err != nil {
		t.Fatal(err)
	}
	got := openStore(t, Options{FS: mem}).Identity()
	if got.Node != want.Node || !exists(mem, "data/identity.json") {
		t.Errorf("got %v, want the identity in Pebble and its file again", got)
	}
}

func TestUnwritableDirectory(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EROFS, syscall.EACCES} {
		for _, dir := range []vfs.FS{vfs.NewMem(), created(t)} {
			fs := errorfs.Wrap(dir, errorfs.InjectorFunc(func(op errorfs.Op) error {
				if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && op.Kind != errorfs.OpFileClose {
					return errno
				}
				return nil
			}))
			_, err := Open(Options{Dir: "data", FS: fs, DefaultNode: "n1", Logger: quiet})
			if !errors.Is(err, ErrReadOnly) || errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "write access") {
				t.Errorf("%v: got %v, want ErrReadOnly", errno, err)
			}
		}
	}
}

func TestSecondProcess(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	openStore(t, Options{Dir: dir, FS: vfs.Default, Ballast: 1})
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode: got %v %v, want 0700", info.Mode(), err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "SSOD_TEST_OPEN="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), ErrLocked.Error()) || !strings.Contains(string(out), "stop the other process") {
		t.Errorf("second process: got %q %v, want %v", out, err, ErrLocked)
	}
	if _, err := Open(Options{Dir: dir, DefaultNode: "n1", Logger: quiet}); !errors.Is(err, ErrLocked) {
		t.Errorf("second store in this process: got %v, want ErrLocked", err)
	}
}

func TestANodeThatJoinsTakesTheClustersIdentity(t *testing.T) {
	dir := t.TempDir()
	if _, ok, err := ReadIdentity(filepath.Join(dir, "none")); ok || err != nil {
		t.Fatalf("a directory that does not exist: got %v, %v", ok, err)
	}
	s, err := Open(Options{Dir: dir, DefaultNode: "n3", Shards: 8, Cluster: "c1", NodeID: 3})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	want := Identity{Format: Format, Cluster: "c1", Node: "n3", NodeID: 3, Shards: 8}
	if got, ok, err := ReadIdentity(dir); got != want || !ok || err != nil {
		t.Errorf("got %+v, %v, %v, want %+v", got, ok, err, want)
	}
}
