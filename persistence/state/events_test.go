package state

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"ssod/persistence/data"
)

// TestAnEventIsReadOnceWhileItsFlushEnds: for a moment it is on disk and in the layer that
// was written.
func TestAnEventIsReadOnceWhileItsFlushEnds(t *testing.T) {
	s := open(t, options{})
	defer s.close(t)
	for rev := range uint64(3) {
		must(t, apply(s, data.Commit{
			Entity: data.Entity{Kind: "profile", Identity: "alice"}, BaseRev: rev,
			Events: []data.Event{{Receiver: 7, Body: fmt.Append(nil, "event ", rev)}},
		}, time.UnixMilli(1_000_000)))
	}
	sh := s.shard(1)
	written := sh.active
	flushAll(t, s)
	sh.flushing = written
	var got []string
	must(t, s.Events(1, data.SpaceQueue, 7, 0, func(_ data.EventKey, body []byte) bool {
		got = append(got, string(body))
		return true
	}))
	sh.flushing = nil
	if want := "event 0, event 1, event 2"; strings.Join(got, ", ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestManyEventsAreReadInOrder, from the disk, from a layer that is being flushed and from
// the active one, behind any of them, without those that have ended.
func TestManyEventsAreReadInOrder(t *testing.T) {
	const each, receivers = 6000, 2 // in each of the three places; more than one look takes
	s := open(t, options{})
	defer s.close(t)
	sh, rev := s.shard(1), uint64(0)
	post := func() {
		for range each / 100 {
			c := data.Commit{Entity: data.Entity{Kind: "profile", Identity: "alice"}, BaseRev: rev}
			for n := range 100 {
				c.Events = append(c.Events, data.Event{Receiver: uint64(n % receivers), Body: []byte("event")})
			}
			must(t, apply(s, c, time.UnixMilli(1_000_000)))
			rev++
		}
	}
	post()
	flushAll(t, s)
	post()
	sh.flushing, sh.active = sh.active, newLayer(sh.active)
	post()
	defer func() { sh.flushing = nil }()
	all := readEvents(t, s, 1, 0, math.MaxInt)
	if len(all) != 3*each/receivers {
		t.Fatalf("%d events are read, want %d", len(all), 3*each/receivers)
	}
	var want []data.EventKey
	var end data.Commit
	for i, key := range all {
		if i%3 == 0 {
			end.Marks = append(end.Marks, data.Mark{Key: key})
		} else {
			want = append(want, key)
		}
	}
	must(t, apply(s, end, time.UnixMilli(1_000_000)))
	for from := 0; from < len(want); from += 7 * each / 20 {
		if got := readEvents(t, s, 1, want[from].Sequence()-1, math.MaxInt); !slices.Equal(got, want[from:]) {
			t.Errorf("behind %d of %d events: %d are read, not in order or not all", from, len(want), len(got))
		}
		if got := readEvents(t, s, 1, want[from].Sequence()-1, 2); !slices.Equal(got, want[from:min(from+2, len(want))]) {
			t.Errorf("the next two behind %d: %v", from, got)
		}
	}
}

// readEvents are the keys of at most so many events of a receiver behind a sequence.
func readEvents(t testing.TB, s *store, receiver, after uint64, most int) (keys []data.EventKey) {
	t.Helper()
	err := s.Events(1, data.SpaceQueue, receiver, after, func(k data.EventKey, _ []byte) bool {
		keys = append(keys, k)
		return len(keys) < most
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// BenchmarkNextEvent reads one event, as is done before each delivery, while many wait in the
// layer and as many have ended that are on disk.
func BenchmarkNextEvent(b *testing.B) {
	const waiting = 50_000
	s := open(b, options{unflushed: 1 << 30})
	defer s.close(b)
	c := data.Commit{Entity: data.Entity{Kind: "profile", Identity: "alice"}}
	post := func() {
		for range waiting / 500 {
			c.Events = slices.Repeat([]data.Event{{Receiver: 1, Body: make([]byte, 500)}}, 500)
			must(b, apply(s, c, time.UnixMilli(1_000_000)))
			c.BaseRev++
		}
	}
	post()
	flushAll(b, s)
	for keys := range slices.Chunk(readEvents(b, s, 1, 0, math.MaxInt), 1000) {
		var end data.Commit
		for _, key := range keys {
			end.Marks = append(end.Marks, data.Mark{Key: key})
		}
		must(b, apply(s, end, time.UnixMilli(1_000_000)))
	}
	post()
	keys := readEvents(b, s, 1, 0, math.MaxInt)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		readEvents(b, s, 1, keys[n%len(keys)].Sequence()-1, 1)
	}
}
