package persistence

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const damageEntities = 400

// damageState is the last state of an entity: long, and different everywhere.
func damageState(n int) string { return fmt.Sprint("state of ", n, strings.Repeat(fmt.Sprint(n), 20)) }

// damageStore is a closed store with tables and a log, to be copied and damaged.
func damageStore(t *testing.T) *vfs.MemFS {
	t.Helper()
	mem := vfs.NewCrashableMem()
	o := crashOptions(mem)
	s := openStore(t, o)
	for rev := range uint64(3) {
		for n := range damageEntities {
			c := Commit{Entity: Entity{Kind: "k", Identity: fmt.Sprint(n)}, BaseRev: rev, State: []byte(damageState(n))}
			if err := apply(s, c, time.UnixMilli(1)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return mem
}

// filesOf lists the files of a data directory of a least size.
func filesOf(t *testing.T, mem *vfs.MemFS, size int64) (files []string) {
	t.Helper()
	for _, dir := range []string{"data", "data/store"} {
		names, err := mem.List(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			info, err := mem.Stat(path.Join(dir, name))
			if err == nil && !info.IsDir() && info.Size() >= size {
				files = append(files, path.Join(dir, name))
			}
		}
	}
	return files
}

// checkDamaged opens a damaged store and reads everything: each answer is right
// or an error that says that the directory is damaged.
func checkDamaged(t *testing.T, mem *vfs.MemFS, what string) (found bool) {
	t.Helper()
	o := crashOptions(mem)
	o.CheckEvery = time.Hour
	s, err := Open(o)
	if err != nil {
		if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNewerFormat) {
			t.Errorf("%s: open: got %v, want ErrDamaged", what, err)
		}
		return true
	}
	defer s.Close()
	if err := replay(s); err != nil {
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: replay: got %v, want ErrDamaged", what, err)
		}
		return true
	}
	for n := range damageEntities {
		h, ok, err := s.Head(1, Entity{Kind: "k", Identity: fmt.Sprint(n)})
		switch {
		case errors.Is(err, ErrDamaged):
			found = true
		case err != nil || !ok || h.Rev != 3 || string(h.State) != damageState(n):
			t.Fatalf("%s: entity %d: got revision %d %v %v %q", what, n, h.Rev, ok, err, h.State)
		}
	}
	return found
}

// copyOf is a copy of a disk.
func copyOf(mem *vfs.MemFS) *vfs.MemFS {
	return mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 1))})
}

func TestFlippedBytes(t *testing.T) {
	t.Parallel()
	flips := 100
	if os.Getenv("SSOD_LONG") != "" {
		flips = 1000
	}
	mem := damageStore(t)
	files, source, found := filesOf(t, mem, 1), rand.New(rand.NewPCG(7, 7)), 0
	for n := range flips {
		damaged, name := copyOf(mem), files[n%len(files)]
		b := readFile(t, damaged, name)
		at := source.IntN(len(b))
		b[at] ^= byte(1 + source.IntN(255))
		writeFile(t, damaged, name, b)
		if checkDamaged(t, damaged, fmt.Sprintf("byte %d of %d of %s", at, len(b), name)) {
			found++
		}
	}
	t.Logf("%d of %d flips found, the others harmless; files %v", found, flips, files)
	if found < flips/4 {
		t.Errorf("only %d of %d flips were found", found, flips)
	}
}

func TestTruncatedFiles(t *testing.T) {
	t.Parallel()
	step := 16 << 10
	if os.Getenv("SSOD_LONG") != "" {
		step = 4 << 10
	}
	mem := damageStore(t)
	for _, name := range filesOf(t, mem, 1) {
		b := readFile(t, mem, name)
		for size := 0; size < len(b); size += step {
			damaged := copyOf(mem)
			writeFile(t, damaged, name, b[:size])
			checkDamaged(t, damaged, fmt.Sprintf("%s cut to %d of %d", name, size, len(b)))
		}
	}
}

func TestMissingFiles(t *testing.T) {
	t.Parallel()
	mem := damageStore(t)
	for _, name := range filesOf(t, mem, 0) {
		damaged := copyOf(mem)
		if err := damaged.Remove(name); err != nil {
			t.Fatal(err)
		}
		found := checkDamaged(t, damaged, name+" removed")
		if needed := needed(path.Base(name)); !found && needed {
			t.Errorf("%s removed: not found", name)
		}
	}
}

// needed says whether a store without the file has lost something for certain.
func needed(name string) bool {
	return strings.HasPrefix(name, "MANIFEST") || strings.HasPrefix(name, "marker.manifest") || path.Ext(name) == ".sst"
}
