package disk

import (
	"bytes"
	"io"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// countingFS counts what is written to its files.
type countingFS struct {
	vfs.FS
	writes int
}

func (c *countingFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := c.FS.Create(name, category)
	return &countingFile{f, c}, err
}

type countingFile struct {
	vfs.File
	fs *countingFS
}

func (f *countingFile) Write(p []byte) (int, error) {
	f.fs.writes++
	return f.File.Write(p)
}

// TestTablesAreWrittenInLargePieces and are whole when they are synced or closed.
func TestTablesAreWrittenInLargePieces(t *testing.T) {
	for _, end := range []func(vfs.File) error{vfs.File.Sync, vfs.File.SyncData, vfs.File.Close} {
		counted := &countingFS{FS: vfs.NewMem()}
		f, err := TableFS{counted}.Create("1.sst", vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		var want []byte
		for i := range 300 {
			piece := bytes.Repeat([]byte{byte(i)}, 4<<10)
			if i == 200 {
				piece = bytes.Repeat(piece, 50) // longer than what is collected
			}
			want = append(want, piece...)
			if _, err := f.Write(piece); err != nil {
				t.Fatal(err)
			}
		}
		if err := end(f); err != nil {
			t.Fatal(err)
		}
		if got := contents(t, counted, "1.sst"); !bytes.Equal(got, want) {
			t.Errorf("got %d bytes, want the %d that were written", len(got), len(want))
		}
		if counted.writes > 12 {
			t.Errorf("%d writes for %d bytes", counted.writes, len(want))
		}
	}
}

// TestOtherFilesAreWrittenAtOnce: the write-ahead log decides itself.
func TestOtherFilesAreWrittenAtOnce(t *testing.T) {
	mem := vfs.NewMem()
	f, err := TableFS{mem}.Create("1.log", vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, mem, "1.log"); string(got) != "x" {
		t.Errorf("got %q", got)
	}
}

func contents(t *testing.T, fs vfs.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
