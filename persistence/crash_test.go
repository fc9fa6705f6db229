package persistence

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// crasher takes a copy of the disk, as a crash would leave it, before every
// k-th write, and notes what was acknowledged until then.
type crasher struct {
	mem     *vfs.MemFS
	every   int
	percent int // of unsynced data that survives

	mu           sync.Mutex
	writes       int
	acknowledged map[Entity]uint64
	crashes      []crash
}

type crash struct {
	disk         *vfs.MemFS
	acknowledged map[Entity]uint64
	write        int
}

func (c *crasher) fs() vfs.FS {
	return errorfs.Wrap(c.mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			c.write()
		}
		return nil
	}))
}

func (c *crasher) write() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writes++; c.writes%c.every != 0 {
		return
	}
	acknowledged := map[Entity]uint64{}
	for e, rev := range c.acknowledged {
		acknowledged[e] = rev
	}
	cfg := vfs.CrashCloneCfg{UnsyncedDataPercent: c.percent, RNG: rand.New(rand.NewPCG(uint64(c.writes), uint64(c.percent)))}
	c.crashes = append(c.crashes, crash{c.mem.CrashClone(cfg), acknowledged, c.writes})
}

func (c *crasher) acknowledge(e Entity, rev uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.acknowledged[e] = max(rev, c.acknowledged[e])
}

// crashOptions make a store that flushes, compacts and trims all the time.
func crashOptions(fs vfs.FS) Options {
	return Options{
		FS: fs, Dir: "data", DefaultNode: "n1", Shards: 4, MemTableBytes: 32 << 10,
		CheckEvery: time.Millisecond, Ballast: 1, Reserve: 1, Logger: quiet,
	}
}

// crashCommit is a change whose every part tells its revision.
func crashCommit(e Entity, base uint64) *Commit {
	value := fmt.Append(nil, base+1)
	c := &Commit{
		Entity: e, BaseRev: base, Schema: uint32(base + 1),
		State:    append(value, strings.Repeat("x", 100)...),
		Puts:     []Record{{Part: "last", Value: value}, {Part: fmt.Sprint("part", base%3), Value: value}},
		Outcomes: []Outcome{{Request: RequestID{byte(base), byte(base >> 8)}, Result: value}},
	}
	if base%7 == 3 {
		c.Deletes = []string{"part1"}
	}
	return c
}

// TestCrash crashes at every k-th write, those of flushes too: what was acknowledged is there, and
// every entity is as one commit left it, never in between.
func TestCrash(t *testing.T) {
	t.Parallel()
	rounds, every := 100, 7
	if os.Getenv("SSOD_LONG") != "" {
		rounds, every = 400, 3
	}
	for _, percent := range []int{0, 50, 100} {
		t.Run(fmt.Sprintf("%d%% of what was not synced survives", percent), func(t *testing.T) {
			t.Parallel()
			c := &crasher{mem: vfs.NewCrashableMem(), every: every, percent: percent, acknowledged: map[Entity]uint64{}}
			writeRounds(t, c, rounds)
			for _, crash := range c.crashes {
				checkCrash(t, crash)
			}
			t.Logf("%d crashes in %d writes", len(c.crashes), c.writes)
			if len(c.crashes) < 20 {
				t.Errorf("only %d crashes in %d writes", len(c.crashes), c.writes)
			}
		})
	}
}

// writeRounds writes rounds of four commits and opens the store twice.
func writeRounds(t *testing.T, c *crasher, rounds int) {
	revs := map[Entity]uint64{}
	for part := range 2 {
		s, err := Open(crashOptions(c.fs()))
		if err == nil {
			err = replay(s)
		}
		if err != nil {
			t.Fatal(err)
		}
		for n := part * rounds; n < (part+1)*rounds; n++ {
			commits := drawRound(n, revs)
			rejected, err := commitAll(s, commits, time.UnixMilli(int64(n)*5000))
			if err != nil || rejected != nil {
				t.Fatal(err, rejected)
			}
			if n%5 == 4 {
				flushAndTruncate(t, s)
			}
			for i := range commits {
				c.acknowledge(commits[i].Entity, commits[i].BaseRev+1)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// flushAndTruncate is what a flush is followed by.
func flushAndTruncate(t *testing.T, s *Store) {
	t.Helper()
	flushAll(t, s)
	l := s.Log()
	at := l.Flushed(1)
	if err := l.Append([]LogWrite{{Shard: 1, Truncate: Position{Index: at, Term: 1}}}, false); err != nil {
		t.Fatal(err)
	}
	if err := l.Turn(); err != nil { // the memtable is half full now and then
		t.Fatal(err)
	}
}

// drawRound changes four of nine entities.
func drawRound(n int, revs map[Entity]uint64) []Commit {
	var commits []Commit
	for i := range 4 {
		e := Entity{Kind: "k", Identity: fmt.Sprint((n*4 + i) % 9)}
		commits = append(commits, *crashCommit(e, revs[e]))
		revs[e]++
	}
	return commits
}

func checkCrash(t *testing.T, c crash) {
	t.Helper()
	s, err := Open(crashOptions(c.disk))
	if err == nil {
		err = replay(s)
	}
	if err != nil {
		t.Errorf("open after the crash at write %d: %v", c.write, err)
		return
	}
	defer s.Close()
	for e, want := range c.acknowledged {
		h, _, err := s.Head(1, e)
		if err != nil || h.Rev < want {
			t.Errorf("crash at write %d: entity %s has revision %d %v, %d was acknowledged", c.write, e.Identity, h.Rev, err, want)
		}
	}
	err = s.Entities(1, "k", "", func(identity string, h Head) bool {
		checkWhole(t, s, Entity{Kind: "k", Identity: identity}, h, c.write)
		return true
	})
	if err != nil {
		t.Errorf("crash at write %d: %v", c.write, err)
	}
}

// checkWhole checks that an entity is as its last commit left it.
func checkWhole(t *testing.T, s *Store, e Entity, h Head, write int) {
	t.Helper()
	want := map[string]string{}
	for base := range h.Rev {
		c := crashCommit(e, base)
		for _, r := range c.Puts {
			want[r.Part] = string(r.Value)
		}
		for _, part := range c.Deletes {
			delete(want, part)
		}
	}
	got := map[string]string{}
	err := s.Records(1, e, func(part, value []byte) bool {
		got[string(part)] = string(value)
		return true
	})
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) || h.Schema != uint32(h.Rev) {
		t.Errorf("crash at write %d: entity %s at revision %d has records %v %v, want %v", write, e.Identity, h.Rev, got, err, want)
	}
	// The last five are within the window, and one of them is not in the head.
	for base := h.Rev - min(h.Rev, 5); base < h.Rev; base++ {
		want := crashCommit(e, base).Outcomes[0]
		result, ok, err := s.Outcome(1, e, want.Request, 0)
		if !ok || err != nil || string(result) != string(want.Result) {
			t.Errorf("crash at write %d: entity %s has outcome %q %v %v, want %q", write, e.Identity, result, ok, err, want.Result)
		}
	}
}
