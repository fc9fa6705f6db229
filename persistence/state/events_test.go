package state

import (
	"fmt"
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
