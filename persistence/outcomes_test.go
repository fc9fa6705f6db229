package persistence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

var outcomeStart = time.UnixMilli(1_000_000)

// answered is the request of the commit that leaves revision rev of the viewer.
func answered(rev uint64) (r RequestID) {
	binary.BigEndian.PutUint64(r[:], rev*0x9e3779b97f4a7c15)
	return r
}

// answer commits the viewer's next revision with one outcome.
func answer(t *testing.T, s *Store, rev uint64, result string, at time.Time) {
	t.Helper()
	c := Commit{Entity: viewer, BaseRev: rev - 1, State: []byte("state"), Outcomes: []Outcome{{answered(rev), 0, []byte(result)}}}
	if err := apply(s, c, at); err != nil {
		t.Fatal(err)
	}
}

// wantOutcomes checks the results of the commits from revision 1 on; "none"
// stands for no outcome.
func wantOutcomes(t *testing.T, s *Store, want ...string) {
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

// wantRecords checks how many outcomes are not in heads.
func wantRecords(t *testing.T, s *Store, want int) {
	t.Helper()
	outcomes, queue := countKeys(t, s, 1, subOutcome), countKeys(t, s, 1, subQueue)
	if outcomes != want || queue != want {
		t.Errorf("got %d outcomes and %d queue records, want %d", outcomes, queue, want)
	}
}

func TestOutcomesInTheHeadSurviveARestart(t *testing.T) {
	for _, at := range []time.Time{time.UnixMilli(0), outcomeStart} {
		mem := vfs.NewMem()
		s := openStore(t, Options{FS: mem})
		answer(t, s, 1, "one", at)
		answer(t, s, 2, "", at)
		for range 2 {
			wantRecords(t, s, 0)
			wantOutcomes(t, s, "one", "", "none")
			s.Close()
			s = openStore(t, Options{FS: mem})
		}
		answer(t, s, 3, "three", at) // carries over what is only on disk
		wantOutcomes(t, s, "one", "", "three")
		if h, ok, err := s.Head(1, viewer); h.Rev != 3 || string(h.State) != "state" || !ok || err != nil {
			t.Errorf("head: got %v %v %v", h, ok, err)
		}
	}
}

func TestOutcomesWithoutRoomBecomeRecords(t *testing.T) {
	mem := vfs.NewMem()
	s := openStore(t, Options{FS: mem})
	var want []string
	next := func(result string, records int) {
		t.Helper()
		rev := uint64(len(want))
		answer(t, s, rev+1, result, outcomeStart.Add(time.Duration(rev)*time.Second))
		want = append(want, result)
		wantRecords(t, s, records)
		wantOutcomes(t, s, append(want, "none")...)
	}
	for i := range maxHeld {
		next(fmt.Sprint(i), 0)
	}
	next("one too many", 1)
	next("another", 2)
	long := strings.Repeat("x", maxHeldBytes-3*(heldLen+len("another")))
	next(long, maxHeld)                                // leaves room for two others
	next(strings.Repeat("y", maxHeldBytes), maxHeld+1) // has no room itself
	s.Close()
	s = openStore(t, Options{FS: mem})
	wantOutcomes(t, s, append(want, "none")...)
	rev := uint64(len(want))
	if err := apply(s, outcomesOf(viewer, rev, maxHeld+1), outcomeStart.Add(time.Duration(rev)*time.Second)); err != nil {
		t.Fatal(err)
	}
	wantRecords(t, s, 2*(maxHeld+1))
}

func TestOutcomesInTheHeadExpireByShardTime(t *testing.T) {
	s := openStore(t, Options{})
	answer(t, s, 1, "one", outcomeStart)
	answer(t, s, 2, "two", outcomeStart.Add(time.Second))
	other := func(at time.Time) {
		t.Helper()
		h, _, err := s.Head(1, founded(1))
		if err := errors.Join(err, apply(s, Commit{Entity: founded(1), BaseRev: h.Rev}, at)); err != nil {
			t.Fatal(err)
		}
	}
	other(outcomeStart.Add(OutcomeWindow - time.Millisecond))
	wantOutcomes(t, s, "one", "two")
	other(outcomeStart.Add(OutcomeWindow)) // the head that holds them is not changed
	wantOutcomes(t, s, "none", "two")
	answer(t, s, 3, "three", outcomeStart.Add(OutcomeWindow+time.Second))
	wantOutcomes(t, s, "none", "none", "three")
	_, _, v, err := parseHead(get(t, s, s.salt.appendHeadKey(nil, 1, viewer)))
	if _, rest, ok := v.outcomes.next(); !ok || len(rest) > 0 || err != nil {
		t.Errorf("the head holds %x %v, want one outcome", v.outcomes, err)
	}
	wantRecords(t, s, 0)
}

// Records of carried outcomes are older than others in the queue, and trimmed
// all the same.
func TestCarriedOutcomesAreTrimmedInTime(t *testing.T) {
	s := openStore(t, Options{})
	answer(t, s, 1, "one", outcomeStart)
	if err := apply(s, outcomesOf(founded(1), 0, maxHeld+1), outcomeStart.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	remove := Commit{Entity: viewer, BaseRev: 1, Remove: true, Outcomes: []Outcome{{answered(2), 0, []byte("two")}}}
	if err := apply(s, remove, outcomeStart.Add(2*time.Second)); err != nil {
		t.Fatal(err)
	}
	wantRecords(t, s, maxHeld+3)
	wantOutcomes(t, s, "one", "two")
	for i, want := range []int{maxHeld + 2, 1, 0} {
		at := outcomeStart.Add(OutcomeWindow + time.Duration(i)*time.Second)
		if err := apply(s, Commit{Entity: founded(2), BaseRev: uint64(i)}, at); err != nil {
			t.Fatal(err)
		}
		wantRecords(t, s, want)
	}
	wantOutcomes(t, s, "none", "none")
}

func TestOutcomesOutliveTheirEntity(t *testing.T) {
	mem := vfs.NewMem()
	s := openStore(t, Options{FS: mem})
	answer(t, s, 1, "one", outcomeStart)
	answer(t, s, 2, "two", outcomeStart)
	remove := Commit{Entity: viewer, BaseRev: 2, Remove: true, Outcomes: []Outcome{{answered(3), 0, []byte("three")}}}
	if err := apply(s, remove, outcomeStart); err != nil {
		t.Fatal(err)
	}
	wantOutcomes(t, s, "one", "two", "three")
	s.Close()
	s = openStore(t, Options{FS: mem})
	wantOutcomes(t, s, "one", "two", "three")
	if err := apply(s, Commit{Entity: viewer, State: []byte("again")}, outcomeStart); err != nil {
		t.Fatal(err)
	}
	wantOutcomes(t, s, "one", "two", "three")
}

// The latest outcome of a step is its outcome, wherever it and others are.
func TestOutcomeOfAStepIsReplaced(t *testing.T) {
	s := openStore(t, Options{})
	for rev, result := range []string{"short", "shorter", strings.Repeat("x", 600), "short again"} {
		c := Commit{Entity: viewer, BaseRev: uint64(rev), Outcomes: []Outcome{{answered(1), 0, []byte(result)}}}
		if err := apply(s, c, outcomeStart); err != nil {
			t.Fatal(err)
		}
		wantOutcomes(t, s, result)
	}
}

func get(t *testing.T, s *Store, k []byte) []byte {
	t.Helper()
	b, err := s.get(k)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRevisionsCountTheirOutcomes(t *testing.T) {
	r := newRevisions()
	const entities = generationBytes / 256
	block := make(outcomes, maxHeldBytes)
	for round := range 3 { // the first has none, so the others grow without an insert
		for n := range entities {
			r.put(fmt.Appendf(nil, "%08d", n), revision{rev: 1, outcomes: block[:min(round, 1)*maxHeldBytes]})
		}
		sum := 0
		for _, g := range []*generation{&r.new, &r.old} {
			for _, v := range g.entities {
				sum += len(v.key) + cap(v.outcomes) + 128
			}
		}
		if sum > 2*generationBytes+1024 || r.new.bytes > generationBytes+1024 {
			t.Errorf("round %d: %d bytes are kept, %d counted in the newer generation", round, sum, r.new.bytes)
		}
	}
}
