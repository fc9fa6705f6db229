package linkdirectory

import (
	"errors"
	"testing"
	"time"
)

// records counts what is stored of a sort.
func (r *realmDirectory) records(sort byte) (n int) {
	for part := range r.stored {
		if part[0] == sort {
			n++
		}
	}
	return n
}

func (r *realmDirectory) giveUpNow(g given, used bool) {
	r.Helper()
	if !r.retire([HashSize]byte(g.hash), used, r.now) {
		r.Fatal("the code was given up before")
	}
}

func (r *realmDirectory) entryOf(g given) entry {
	r.Helper()
	e := r.codes[[HashSize]byte(g.hash)]
	if e == nil {
		r.Fatal("the code is gone")
	}
	plain := *e
	plain.record = nil
	return plain
}

// Codes that are given up together cost one record, and a restart knows of each
// what was known before.
func TestCodesGivenUpTogetherAreOneRecord(t *testing.T) {
	r := newRealm(t)
	used, cancelled, live := r.give(), r.give(), r.give()
	r.after(time.Second)
	r.giveUpNow(used, true)
	r.after(time.Second)
	r.giveUpNow(cancelled, false)
	b := r.batch()
	if len(b.commit.Puts) != 1 || len(b.commit.Deletes) != 0 {
		t.Fatalf("two codes given up: %d records are written and %d deleted, want 1 and 0", len(b.commit.Puts), len(b.commit.Deletes))
	}
	r.refused(b) // the next batch has it again
	r.commit()
	before := map[string]entry{}
	for _, g := range []given{used, cancelled, live} {
		before[g.code] = r.entryOf(g)
	}
	r.restart()
	for _, g := range []given{used, cancelled, live} {
		if got := r.entryOf(g); got != before[g.code] {
			t.Errorf("after a restart: got %+v, want %+v", got, before[g.code])
		}
	}
	if r.live != 1 {
		t.Errorf("%d codes are live, want 1", r.live)
	}
}

// The record goes with the last of its codes, before a restart as after one.
func TestARetirementIsDeletedWithTheLastOfItsCodes(t *testing.T) {
	for _, restart := range []bool{false, true} {
		r := newRealm(t)
		first, second := r.give(), r.give()
		r.giveUpNow(first, true)
		r.commit()
		r.after(2*time.Minute).giveUpNow(second, false)
		r.commit()
		if restart {
			r.restart()
		}
		for _, step := range []struct {
			after time.Duration
			want  int
		}{{0, 2}, {ttl - time.Minute, 1}, {time.Minute, 0}} {
			r.after(step.after).commit()
			if got := r.records(partRetired); got != step.want {
				t.Errorf("restarted %v: %d retirements are stored, want %d", restart, got, step.want)
			}
		}
		if len(r.stored) > 0 {
			t.Errorf("restarted %v: %d records are left", restart, len(r.stored))
		}
	}
}

// A number that was given out again is not given up by what was said about its
// last owner.
func TestAnOldRetirementDoesNotReachANewOwner(t *testing.T) {
	r := newRealm(t)
	old, other := r.give(), r.give()
	r.giveUpNow(old, false)
	r.after(time.Second).giveUpNow(other, false) // keeps the record alive
	r.commit()
	r.after(ttl - time.Millisecond).commit()
	r.directory.remove([HashSize]byte(old.hash), r.codes[[HashSize]byte(old.hash)])
	ms := r.now.UnixMilli()
	r.enter([HashSize]byte(old.hash), &entry{
		owner: "another viewer", ttl: ttl.Milliseconds(), class: classOf(6, false), live: true,
		resolveUntil: ms + (ttl + grace).Milliseconds(), keepUntil: ms + 2*ttl.Milliseconds(),
	})
	r.stored[codePart([HashSize]byte(old.hash))] = encode(r.codes[[HashSize]byte(old.hash)].message())
	r.restart()
	if e := r.entryOf(old); e.retired || e.owner != "another viewer" {
		t.Errorf("the new owner's code was given up: %+v", e)
	}
	if e := r.entryOf(other); !e.retired {
		t.Error("the other code of the record was not given up")
	}
}

func TestMalformedRetirementsAreFound(t *testing.T) {
	for name, m := range map[string]*Retirements{
		"a short hash":     {Hashes: make([]byte, HashSize-1), AtMs: []int64{1}, Used: []bool{true}},
		"no time":          {Hashes: make([]byte, HashSize), Used: []bool{true}},
		"too few verdicts": {Hashes: make([]byte, 2*HashSize), AtMs: []int64{1, 2}, Used: []bool{true}},
	} {
		if err := decodeRetirements(encode(m), func(retirement) {}); !errors.Is(err, errRecord) {
			t.Errorf("%s: got %v, want errRecord", name, err)
		}
	}
	if err := decodeRetirements([]byte{0xff}, func(retirement) {}); err == nil {
		t.Error("what is no message was decoded")
	}
}
