package meta_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ssod/cluster"
	"ssod/cluster/faulty"
	"ssod/cluster/meta"
)

func open(t testing.TB, shards cluster.Shards) *meta.Store {
	t.Helper()
	s, err := meta.Open(t.Context(), shards)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// content is a table as a map of strings.
func content(s *meta.Store, table string) map[string]string {
	all := map[string]string{}
	for key, value := range s.All(table) {
		all[key] = string(value)
	}
	return all
}

func put(key, value string) map[string][]byte { return map[string][]byte{key: []byte(value)} }

func TestChangeIsSeenAndKept(t *testing.T) {
	node := faulty.New(faulty.Options{}).Node("a:1")
	s := open(t, node)
	signals := 0
	stop := s.Watch("keys", func() { signals++ })
	for _, err := range []error{
		s.Change(t.Context(), "keys", map[string][]byte{"b": []byte("2"), "a": []byte("1")}, nil),
		s.Change(t.Context(), "keys", put("c", "3"), []string{"a"}),
		s.Change(t.Context(), "statements", put("x", "y"), nil),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	stop()
	if err := s.Change(t.Context(), "keys", put("d", "4"), nil); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"b": "2", "c": "3", "d": "4"}
	for name, s := range map[string]*meta.Store{"changed": s, "opened again": open(t, node)} {
		if diff := cmp.Diff(want, content(s, "keys")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if v, ok := s.Get("statements", "x"); string(v) != "y" || !ok {
			t.Errorf("%s: got %q %v", name, v, ok)
		}
	}
	if signals != 2 {
		t.Errorf("signals while watching: got %d, want 2", signals)
	}
	if _, ok := s.Get("none", "x"); ok {
		t.Error("a table that does not exist has a key")
	}
}

func TestAllIsASnapshotInOrder(t *testing.T) {
	s := open(t, faulty.New(faulty.Options{}).Node("a:1"))
	for _, key := range []string{"c", "a", "b"} {
		if err := s.Change(t.Context(), "keys", put(key, key), nil); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for key := range s.All("keys") {
		got = append(got, key)
		if err := s.Change(t.Context(), "keys", nil, []string{"c"}); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"a", "b", "c"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTwoNodesChangeTheSameTable(t *testing.T) {
	truth := faulty.New(faulty.Options{})
	a, b := truth.Node("a:1"), truth.Node("b:1")
	onA := open(t, a)
	if err := onA.Change(t.Context(), "keys", put("a", "1"), nil); err != nil {
		t.Fatal(err)
	}
	truth.Move(cluster.MetaShard, b)
	onB := open(t, b)
	if err := onB.Change(t.Context(), "keys", put("b", "2"), nil); err != nil {
		t.Fatal(err)
	}
	truth.Move(cluster.MetaShard, a)
	if err := onA.Change(t.Context(), "keys", put("c", "3"), nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "1", "b": "2", "c": "3"}, content(onA, "keys")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestChangeWaitsForALeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		truth := faulty.New(faulty.Options{})
		node := truth.Node("a:1")
		s := open(t, node)
		truth.Move(cluster.MetaShard, nil)
		done := make(chan error, 1)
		go func() { done <- s.Change(t.Context(), "keys", put("a", "1"), nil) }()
		synctest.Wait()
		truth.Move(cluster.MetaShard, node)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		truth.Move(cluster.MetaShard, nil)
		go func() { done <- s.Change(ctx, "keys", put("a", "2"), nil) }()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, cluster.ErrRefused) {
			t.Errorf("without a leader: got %v, want ErrRefused", err)
		}
	})
}

// TestAnyFaults changes a table under faults: what Change says is what is
// stored, and memory never differs from it.
func TestAnyFaults(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		faults := rapid.SliceOfN(rapid.SampledFrom(faulty.Faults), 1, 40).Draw(rt, "faults")
		truth := faulty.New(faulty.Options{Commits: faulty.Script(faults...)})
		node := truth.Node("a:1")
		s := open(t, node)
		want := map[string]string{}
		for i := range 10 {
			key, value := fmt.Sprint(i%3), fmt.Sprint(i)
			switch err := s.Change(t.Context(), "keys", put(key, value), nil); {
			case err == nil:
				want[key] = value
			case !errors.Is(err, cluster.ErrRefused) || errors.Is(err, cluster.ErrUnknown):
				rt.Fatalf("got %v, want ErrRefused and nothing else", err)
			}
			if got := content(s, "keys"); !maps.Equal(got, want) {
				rt.Fatalf("in memory after change %d: got %v, want %v", i, got, want)
			}
		}
		if got := content(open(t, node), "keys"); !maps.Equal(got, want) {
			rt.Fatalf("stored: got %v, want %v", got, want)
		}
	})
}

func TestConcurrentChanges(t *testing.T) {
	node := faulty.New(faulty.Options{Commits: faulty.Seeded(1, 30, faulty.UnknownDone, faulty.UnknownNotDone, faulty.Flap)}).Node("a:1")
	s := open(t, node)
	var callers sync.WaitGroup
	for i := range 20 {
		callers.Go(func() {
			for s.Change(t.Context(), "keys", put(fmt.Sprint(i), "v"), nil) != nil {
			}
		})
	}
	callers.Wait()
	if got := len(content(open(t, node), "keys")); got != 20 {
		t.Errorf("got %d keys, want 20", got)
	}
}
