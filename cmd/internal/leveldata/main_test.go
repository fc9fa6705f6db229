package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ssod/cluster"
	"ssod/cluster/placement"
)

// TestEveryLevelIsRead: this version reads what the first one that had a level wrote, all
// of it, and goes on from there.
func TestEveryLevelIsRead(t *testing.T) {
	dirs, err := filepath.Glob("testdata/level*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no directories: %v", err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			copied := filepath.Join(t.TempDir(), "data")
			if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			checkAll(t, copied, rounds)
			more(t, copied)
			checkAll(t, copied, rounds+1)
		})
	}
}

// TestWhatIsGeneratedIsRead, so that the next level's directory is one that can be.
func TestWhatIsGeneratedIsRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := generate(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	checkAll(t, dir, rounds)
}

// more changes every entity that is left once more.
func more(t *testing.T, dir string) {
	t.Helper()
	n, err := open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	slots := cluster.DivideSlots(shards)
	for i := range entities {
		c := change(i, rounds)
		if removed(i) {
			continue
		}
		if shard, ok := n.engine.Lead(slots.Of(c.Entity)); !ok {
			t.Errorf("entity %d: its shard is not led", i)
		} else if err := shard.Commit(t.Context(), c); err != nil {
			t.Errorf("entity %d: %v", i, err)
		}
	}
	if err := n.close(); err != nil {
		t.Fatal(err)
	}
}

// checkAll reads the tables and every entity as so many rounds leave it.
func checkAll(t *testing.T, dir string, rounds int) {
	t.Helper()
	n, err := open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.close(); err != nil {
			t.Error(err)
		}
	}()
	if s, err := placement.SettingsOf(n.tables); s != settings(n.store.Level()) || err != nil {
		t.Errorf("settings: got %+v %v", s, err)
	}
	slots, err := placement.Divide(t.Context(), n.tables, shards)
	if err != nil || slots == nil {
		t.Fatalf("slots: %v", err)
	}
	for i := range entities {
		shard, _ := n.engine.Lead(slots.Of(address(i)))
		check(t, shard, i, rounds)
		if n.store.Level() >= eventsLevel {
			checkEvents(t, shard, i)
		}
	}
}

// checkEvents reads what waits of one entity, and its dead letters.
func checkEvents(t *testing.T, shard cluster.Shard, i int) {
	t.Helper()
	got := map[byte][]string{}
	for _, space := range []byte{cluster.EventQueue, cluster.EventDead} {
		err := shard.Events(space, receiver(i), 0, func(_ cluster.EventKey, body []byte) bool {
			got[space] = append(got[space], string(body))
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	of := func(round int) string { return string(events(i, round)[0].Body) }
	want := map[byte][]string{cluster.EventQueue: {of(2), of(3)}, cluster.EventDead: {of(1)}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events of entity %d (-want +got):\n%s", i, diff)
	}
}

// check reads one entity.
func check(t *testing.T, shard cluster.Shard, i, rounds int) {
	t.Helper()
	e := address(i)
	h, ok, err := shard.Head(e)
	if err != nil || ok == removed(i) {
		t.Fatalf("entity %d: %v %v", i, ok, err)
	}
	if last := change(i, rounds-1); ok && (h.Rev != uint64(rounds) || h.Schema != last.Schema || string(h.State) != string(last.State)) {
		t.Errorf("entity %d: got %+v", i, h)
	}
	parts := map[string]string{}
	if err := shard.Records(e, func(part, value []byte) bool { parts[string(part)] = string(value); return true }); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, r := range change(i, rounds-1).Puts {
		want[r.Part] = string(r.Value)
	}
	if diff := cmp.Diff(want, parts); ok && diff != "" {
		t.Errorf("records of entity %d (-want +got):\n%s", i, diff)
	}
	if rounds > 4 {
		return // the window of the first outcomes may be over
	}
	for round := range rounds {
		o := change(i, round).Outcomes[0]
		if result, ok, err := shard.Outcome(e, o.Request, o.Step); string(result) != string(o.Result) || !ok || err != nil {
			t.Errorf("outcome %d of entity %d: got %q %v %v", round, i, result, ok, err)
		}
	}
}
