package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestChanges(t *testing.T) {
	three := view{
		Durability: "durability of 2 nodes",
		Nodes:      []nodeView{{Name: "n1", State: "ready"}, {Name: "n2", State: "alive"}},
		Shards:     []shardView{{Shard: 0, Leader: "n1"}, {Shard: 1, Leader: "n2"}},
		Invariants: []invariantView{{Name: "every shard has a leader", OK: true}},
	}
	later := three
	later.Nodes = []nodeView{{Name: "n1", State: "ready"}, {Name: "n3", State: "alive"}}
	later.Shards = []shardView{{Shard: 0, Leader: "n1"}, {Shard: 1}}
	later.Invariants = []invariantView{{Name: "every shard has a leader", Detail: "no leader is known of 1 of 2"}}
	want := []string{
		"00:00:00  invariant every shard has a leader: true -> NOT TRUE: no leader is known of 1 of 2",
		"00:00:00  leader of shard 1: n2 -> none",
		"00:00:00  node n2: alive -> none",
		"00:00:00  node n3: none -> alive",
	}
	var got []string
	for _, c := range changes(three.facts(), later.facts()) {
		got = append(got, c.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if again := changes(later.facts(), later.facts()); len(again) != 0 {
		t.Errorf("nothing changed, but: %v", again)
	}
}

// lines is what a watch has written, and ends it at a word.
type lines struct {
	bytes.Buffer
	until string
	end   func()
}

func (l *lines) Write(b []byte) (int, error) {
	n, err := l.Buffer.Write(b)
	if strings.Contains(l.String(), l.until) {
		l.end()
	}
	return n, err
}

// A watch shows the status and then what changes, also that the node does not
// answer, until it is interrupted.
func TestWatch(t *testing.T) {
	var calls atomic.Int32
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		v := view{ID: "c1", Durability: "durability of one node", Nodes: []nodeView{{Name: "n1", State: "ready"}}}
		switch n := calls.Add(1); {
		case n > 4:
			v.Durability = "durability of 2 nodes"
		case n > 2:
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if err := json.NewEncoder(w).Encode(v); err != nil {
			t.Error(err)
		}
	}))
	defer node.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &lines{until: "durability of one node -> durability of 2 nodes", end: cancel}
	s, err := newSession(ctx, &cli{Admin: node.URL, Timeout: 2 * time.Minute}, out, out)
	if err != nil {
		t.Fatal(err)
	}
	if err := (&watchCommand{Interval: time.Millisecond}).Run(s); err != nil {
		t.Fatal(err)
	}
	rest := out.String()
	for _, part := range []string{"cluster c1, durability of one node", "NODE", "yes -> no: the node answered 503", "-> yes", out.until} {
		_, after, found := strings.Cut(rest, part)
		if !found {
			t.Fatalf("no %q in order in:\n%s", part, out.String())
		}
		rest = after
	}
}
