package persistence

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
)

// A directory follows its own earlier starts, and not those of a copy of it.
func TestADirectoryFollowsItsOwnStarts(t *testing.T) {
	before := Boots{}.next(1).next(2).confirmed()
	original, other := before.next(3).next(4), before.next(33).next(44).next(55)
	for name, tt := range map[string]struct {
		boots   Boots
		earlier Boot
		want    bool
	}{
		"none":                               {original, Boot{}, true},
		"one before the confirmed one":       {original, Boot{1, 1}, true},
		"the confirmed one":                  {original, Boot{2, 2}, true},
		"another one of that number":         {original, Boot{2, 22}, false},
		"the one before":                     {original, Boot{3, 3}, true},
		"itself":                             {original, Boot{4, 4}, true},
		"a later one":                        {original, Boot{5, 5}, false},
		"a copy's":                           {original, Boot{3, 33}, false},
		"the original's, asked of the copy":  {other, Boot{3, 3}, false},
		"after the original's was confirmed": {other, original.confirmed().Confirmed, false},
		"one confirmed since":                {original.confirmed().next(5), Boot{3, 33}, true},
		"the first start of all":             {Boots{}.next(7), Boot{}, true},
		"never started":                      {Boots{}, Boot{1, 1}, false},
	} {
		if got := tt.boots.Follow(tt.earlier); got != tt.want {
			t.Errorf("%s: %+v follows %+v: got %v, want %v", name, tt.boots, tt.earlier, got, tt.want)
		}
	}
}

// Of many starts that nobody confirmed the latest are remembered, and the one
// that was.
func TestManyStartsAreBounded(t *testing.T) {
	b := Boots{}.next(1).confirmed()
	for i := range uint64(3 * maxBoots) {
		b = b.next(i + 2)
	}
	last := b.Last()
	if len(b.Incarnations) != maxBoots || !b.Follow(Boot{1, 1}) || !b.Follow(Boot{last.Number - maxBoots + 1, last.Incarnation - maxBoots + 1}) {
		t.Errorf("got %+v", b)
	}
	got, rest, err := CutBoots(append(b.Append(nil), "more"...))
	if diff := cmp.Diff(b, got); diff != "" || string(rest) != "more" || err != nil {
		t.Errorf("read again (-want +got):\n%s rest %q, %v", diff, rest, err)
	}
}

func FuzzBoots(f *testing.F) {
	f.Add(Boots{}.next(1).confirmed().next(2).Append(nil))
	f.Fuzz(func(t *testing.T, in []byte) {
		b, rest, err := CutBoots(in)
		if err != nil {
			return
		}
		if diff := cmp.Diff(in, append(b.Append(nil), rest...)); diff != "" {
			t.Errorf("written again: %s", diff)
		}
		b.Follow(Boot{Number: 1})
		b.Last()
	})
}

// Starts and notes survive a power cut in the moment after they returned.
func TestStartsAndNotesSurviveACrash(t *testing.T) {
	fs := vfs.NewCrashableMem()
	open := func(fs vfs.FS) *Store {
		s, err := Open(Options{Dir: "data", FS: fs, DefaultNode: "n1", Shards: 1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	s := open(fs)
	for _, incarnation := range []uint64{7, 8} {
		if _, err := s.Boot(incarnation); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.NotePeer(3, []byte("met"), true); err != nil {
		t.Fatal(err)
	}
	again := open(fs.CrashClone(vfs.CrashCloneCfg{}))
	b, err := again.Boot(9)
	if diff := cmp.Diff(Boots{Number: 3, Incarnations: []uint64{7, 8, 9}}, b); diff != "" || err != nil {
		t.Errorf("starts (-want +got):\n%s %v", diff, err)
	}
	notes, err := again.Peers()
	if diff := cmp.Diff(map[NodeID][]byte{3: []byte("met")}, notes); diff != "" || err != nil {
		t.Errorf("notes (-want +got):\n%s %v", diff, err)
	}
	if err := again.ConfirmBoot(); err != nil {
		t.Fatal(err)
	}
	b, err = again.Boot(10)
	if diff := cmp.Diff(Boots{Confirmed: Boot{3, 9}, Number: 4, Incarnations: []uint64{10}}, b); diff != "" || err != nil {
		t.Errorf("starts after one was confirmed (-want +got):\n%s %v", diff, err)
	}
}
