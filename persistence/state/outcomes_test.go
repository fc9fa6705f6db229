package state

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"ssod/persistence/data"
	"ssod/persistence/layout"
)

var outcomeStart = time.UnixMilli(1_000_000)

// answered is the request of the commit that leaves revision rev of the viewer.
func answered(rev uint64) (r data.RequestID) {
	binary.BigEndian.PutUint64(r[:], rev*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(r[8:], rev*0xbf58476d1ce4e5b9)
	return r
}

// answer commits the viewer's next revision with one outcome.
func answer(t *testing.T, s *store, rev uint64, result string, at time.Time) {
	t.Helper()
	c := data.Commit{Entity: viewer, BaseRev: rev - 1, State: []byte("state"), Outcomes: []data.Outcome{{Request: answered(rev), Result: []byte(result)}}}
	if err := apply(s, c, at); err != nil {
		t.Fatal(err)
	}
}

// outcomesOf makes a commit of an entity with n outcomes of fresh requests.
func outcomesOf(e data.Entity, base uint64, n int) data.Commit {
	c := data.Commit{Entity: e, BaseRev: base}
	for i := range n {
		c.Outcomes = append(c.Outcomes, data.Outcome{
			Request: answered(base*1_000_000 + uint64(i) + 1_000_000), Step: uint32(i), Result: []byte("result"),
		})
	}
	return c
}

// wantOutcomes checks the results of the commits from revision 1 on; "none"
// stands for no outcome.
func wantOutcomes(t *testing.T, s *store, want ...string) {
	t.Helper()
	for i, want := range want {
		b, ok, err := s.Outcome(1, viewer, answered(uint64(i+1)), 0)
		got := string(b)
		if !ok {
			got = "none"
		}
		if err != nil || got != want {
			t.Errorf("outcome of revision %d: got %q %v, want %q", i+1, got, err, want)
		}
	}
}

// countBlocks counts the blocks of outcomes that are on disk of shard 1.
func countBlocks(t *testing.T, s *store) (n int) {
	t.Helper()
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: layout.AppendShard(nil, 1, layout.SubOutcome), UpperBound: layout.AppendShard(nil, 1, layout.SubOutcome+1)})
	if err != nil {
		t.Fatal(err)
	}
	for it.First(); it.Valid(); it.Next() {
		n++
	}
	if err := it.Close(); err != nil {
		t.Fatal(err)
	}
	return n
}

// An outcome is found in memory, while it is flushed into a block, and after a
// restart; it goes with its block when all of that has left the window.
func TestOutcomesAreKeptForTheWindow(t *testing.T) {
	mem := vfs.NewMem()
	s := open(t, options{fs: mem})
	answer(t, s, 1, "one", outcomeStart)
	answer(t, s, 2, "", outcomeStart)
	wantOutcomes(t, s, "one", "", "none")
	flushAll(t, s)
	wantOutcomes(t, s, "one", "", "none")
	answer(t, s, 3, "three", outcomeStart.Add(time.Second))
	wantOutcomes(t, s, "one", "", "three")
	s.close(t)
	s = open(t, options{fs: mem})
	wantOutcomes(t, s, "one", "", "three")
	at := outcomeStart.Add(data.OutcomeWindow)
	answer(t, s, 4, "four", at)
	wantOutcomes(t, s, "none", "none", "three", "four")
	flushAll(t, s)
	if n := countBlocks(t, s); n != 2 {
		t.Errorf("got %d blocks, want those of the last two flushes", n)
	}
	wantOutcomes(t, s, "none", "none", "three", "four")
}

func TestTheLatestOutcomeOfAStepCounts(t *testing.T) {
	s := open(t, options{})
	for rev, result := range []string{"short", "shorter", strings.Repeat("x", 600), "short again"} {
		c := data.Commit{Entity: viewer, BaseRev: uint64(rev), Outcomes: []data.Outcome{{Request: answered(1), Result: []byte(result)}}}
		if err := apply(s, c, outcomeStart); err != nil {
			t.Fatal(err)
		}
		wantOutcomes(t, s, result)
		if rev%2 == 0 {
			flushAll(t, s)
			wantOutcomes(t, s, result)
		}
	}
}

func TestOutcomesOutliveTheirEntityUnlessForgotten(t *testing.T) {
	for _, flushed := range []bool{false, true} {
		mem := vfs.NewMem()
		s := open(t, options{fs: mem})
		step := func(c data.Commit) {
			t.Helper()
			if err := apply(s, c, outcomeStart); err != nil {
				t.Fatal(err)
			}
			if flushed {
				flushAll(t, s)
			}
		}
		answer(t, s, 1, "one", outcomeStart)
		other := outcomesOf(founded(1), 0, 3)
		step(other)
		step(data.Commit{Entity: viewer, BaseRev: 1, Remove: true, Outcomes: []data.Outcome{{Request: answered(2), Result: []byte("two")}}})
		wantOutcomes(t, s, "one", "two")
		step(data.Commit{Entity: viewer, State: []byte("again")})
		wantOutcomes(t, s, "one", "two")
		step(data.Commit{Entity: viewer, BaseRev: 1, Remove: true, Forget: true})
		wantOutcomes(t, s, "none", "none")
		s.close(t)
		s = open(t, options{fs: mem})
		wantOutcomes(t, s, "none", "none")
		if got, ok, err := s.Outcome(1, founded(1), other.Outcomes[2].Request, 2); string(got) != "result" || !ok || err != nil {
			t.Errorf("flushed %v: outcome of another entity: %q %v %v", flushed, got, ok, err)
		}
	}
}

// Thousands of outcomes of one flush fill several blocks.
func TestBlocksAreBounded(t *testing.T) {
	s := open(t, options{})
	const n = 20_000
	c := outcomesOf(viewer, 0, n)
	if err := apply(s, c, outcomeStart); err != nil {
		t.Fatal(err)
	}
	flushAll(t, s)
	if got := countBlocks(t, s); got < 4 || got > 12 {
		t.Errorf("got %d blocks", got)
	}
	for _, i := range []int{0, 1, n / 2, n - 1} {
		o := c.Outcomes[i]
		if got, ok, err := s.Outcome(1, viewer, o.Request, o.Step); string(got) != "result" || !ok || err != nil {
			t.Errorf("outcome %d: %q %v %v", i, got, ok, err)
		}
	}
	before := s.blockReads.Load()
	for i := range uint64(10_000) {
		if _, ok, err := s.Outcome(1, viewer, answered(1<<40+i), 0); ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	if got := s.blockReads.Load() - before; got > 1000 {
		t.Errorf("10,000 look-ups of what was never there read %d blocks", got)
	}
}

// After the time of a shard is set back its outcomes are kept for the window, also
// when the store was opened again meanwhile, and then go.
func TestOutcomesOfTheFutureAreKeptForTheWindow(t *testing.T) {
	right, wrong := time.UnixMilli(1_700_000_000_000), time.UnixMilli(1_735_000_000_000)
	for _, flushed := range []bool{false, true} {
		for _, reopened := range []bool{false, true} {
			t.Run(fmt.Sprintf("flushed %v, reopened %v", flushed, reopened), func(t *testing.T) {
				mem := vfs.NewMem()
				s := open(t, options{fs: mem})
				answer(t, s, 1, "one", wrong)
				if flushed {
					flushAll(t, s)
				}
				if _, err := s.Apply([]data.Change{{Shard: 1, Position: s.next(), Time: uint64(right.UnixMilli()), Reset: true}}); err != nil {
					t.Fatal(err)
				}
				if reopened {
					s.close(t)
					s = open(t, options{fs: mem})
				}
				if got := s.Time(1); !got.Equal(right) {
					t.Errorf("shard time after the reset: %v", got)
				}
				answer(t, s, 2, "two", right.Add(data.OutcomeWindow-time.Millisecond))
				flushAll(t, s)
				wantOutcomes(t, s, "one", "two")
				answer(t, s, 3, "three", right.Add(2*data.OutcomeWindow))
				wantOutcomes(t, s, "none", "none", "three")
				flushAll(t, s)
				if n := countBlocks(t, s); n != 1 {
					t.Errorf("got %d blocks, want the last", n)
				}
			})
		}
	}
}
