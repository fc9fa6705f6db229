package persistence

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ssod/persistence/level"
)

// TestALevelIsKept: it only rises, and survives a crash.
func TestALevelIsKept(t *testing.T) {
	mem := vfs.NewCrashableMem()
	s := openStore(t, Options{FS: mem})
	if s.Level() != level.First {
		t.Errorf("a new store is at level %d", s.Level())
	}
	for _, to := range []int{level.Newest, level.First} {
		if err := s.RaiseLevel(to); err != nil || s.Level() != level.Newest {
			t.Errorf("raised to %d: got %d %v", to, s.Level(), err)
		}
	}
	crashed := mem.CrashClone(vfs.CrashCloneCfg{})
	if again := openStore(t, Options{FS: crashed}); again.Level() != level.Newest {
		t.Errorf("after a crash it is at level %d, want %d", again.Level(), level.Newest)
	}
}

// TestALevelThatIsNotKnownIsRefused before anything in the directory is touched.
func TestALevelThatIsNotKnownIsRefused(t *testing.T) {
	for _, tt := range []struct {
		file string
		want error
		says string
	}{
		{fmt.Sprint(level.Newest + 1), ErrNewerFormat, fmt.Sprintf("its cluster is at format level %d and this version knows %v", level.Newest+1, level.Known())},
		{fmt.Sprint(level.Oldest - 1), ErrOlderFormat, "raise the level"},
		{"two", ErrDamaged, "level"},
		{"", ErrDamaged, "level"},
	} {
		mem := created(t)
		writeFile(t, mem, "data/level", []byte(tt.file))
		before := copyOf(mem).String()
		_, err := Open(Options{Dir: "data", FS: mem, DefaultNode: "n1", Logger: quiet})
		if !errors.Is(err, tt.want) || !strings.Contains(fmt.Sprint(err), tt.says) {
			t.Errorf("%q: got %v, want %v that says %q", tt.file, err, tt.want, tt.says)
		}
		if after := mem.String(); after != before {
			t.Errorf("%q: the directory was changed from\n%s to\n%s", tt.file, before, after)
		}
	}
}
