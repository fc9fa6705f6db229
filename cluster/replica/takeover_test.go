package replica_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ssod/cluster"
	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/persistence"
)

// TestANodeWithoutALogIsTakenOver: what was kept without a log is the state
// that the log begins with.
func TestANodeWithoutALogIsTakenOver(t *testing.T) {
	fs := vfs.NewMem()
	store := openStore(t, fs, "data")
	past := time.Now()
	if err := applyTo(store, 1, cluster.Commit{Entity: entity(1), State: []byte("kept")}, past); err != nil {
		t.Fatal(err)
	}
	store.Close()
	yesterday := func() time.Time { return past.Add(-24 * time.Hour) }
	shard, _ := alone(t, fs, "data", yesterday).Lead(1)
	if h, ok, err := shard.Head(entity(1)); !ok || err != nil || string(h.State) != "kept" {
		t.Errorf("got %v %v %v", h, ok, err)
	}
	if err := shard.Commit(t.Context(), cluster.Commit{Entity: entity(1), BaseRev: 1}); err != nil {
		t.Error(err)
	}
	if now := shard.Now(); now.Before(past.Truncate(time.Millisecond).Add(-time.Second)) {
		t.Errorf("the shard's time went back to %v", now)
	}
}

// TestADirectoryIsTakenOverAfterKills: a process that keeps its shards without
// a log is killed under load, then two that keep them with one. Whatever any of
// them acknowledged is there.
func TestADirectoryIsTakenOverAfterKills(t *testing.T) {
	dir := t.TempDir()
	acknowledged := 0
	for _, kind := range []string{"store", "engine", "engine"} {
		acknowledged = writeAndKill(t, kind, dir, acknowledged)
	}
	e := alone(t, vfs.Default, dir, time.Now)
	for i := range acknowledged {
		shard, _ := e.Lead(shardOf(i))
		h, ok, err := shard.Head(entity(i))
		if !ok || err != nil || string(h.State) != strconv.Itoa(i) {
			t.Fatalf("entity %d of %d: got %v %v %v", i, acknowledged, h, ok, err)
		}
	}
}

// applyTo writes a commit past every log.
func applyTo(store *persistence.Store, id cluster.ShardID, c cluster.Commit, now time.Time) error {
	return store.Apply([]persistence.ShardCommit{{Shard: id, Commit: &c}}, now)[0]
}

func shardOf(i int) cluster.ShardID { return cluster.ShardID(1 + i%8) }

// How the test binary is told to be the process that is killed.
const (
	writerEnv = "SSOD_TEST_WRITER" // store or engine
	dirEnv    = "SSOD_TEST_DIR"
	fromEnv   = "SSOD_TEST_FROM"
)

// writeAndKill runs this binary as a writer of entities from the given number
// on and kills it. It returns the number after the last one acknowledged.
func writeAndKill(t *testing.T, kind, dir string, from int) int {
	t.Helper()
	writer := exec.CommandContext(t.Context(), os.Args[0])
	writer.Env = append(os.Environ(), writerEnv+"="+kind, dirEnv+"="+dir, fmt.Sprint(fromEnv, "=", from))
	writer.Stderr = t.Output()
	out, err := writer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	next := from
	for lines := bufio.NewScanner(out); lines.Scan(); next++ {
		if got := lines.Text(); got != strconv.Itoa(next) {
			t.Fatalf("%s acknowledged %q after %d", kind, got, next-1)
		}
		if next == from+100 {
			writer.Process.Kill()
		}
	}
	if err := writer.Wait(); err == nil || next <= from+100 {
		t.Fatalf("%s ended at %d by itself: %v", kind, next, err)
	}
	return next
}

// writeUntilKilled commits one entity after the other and prints its number
// when it is acknowledged.
func writeUntilKilled(kind string) {
	from, _ := strconv.Atoi(os.Getenv(fromEnv))
	store, err := persistence.Open(persistence.Options{
		Dir: os.Getenv(dirEnv), DefaultNode: "n1", Shards: 8, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fatal(err)
	}
	commit, err := writer(kind, store)
	if err != nil {
		fatal(err)
	}
	for i := from; ; i++ {
		// A commit that the killed process began may be there.
		h, _, err := store.Head(shardOf(i), entity(i))
		if err == nil {
			err = commit(shardOf(i), cluster.Commit{Entity: entity(i), BaseRev: h.Rev, State: []byte(strconv.Itoa(i))})
		}
		if err != nil {
			fatal(err)
		}
		fmt.Println(i)
	}
}

// writer returns how to commit: past every log or on an engine.
func writer(kind string, store *persistence.Store) (func(cluster.ShardID, cluster.Commit) error, error) {
	if kind == "store" {
		return func(id cluster.ShardID, c cluster.Commit) error { return applyTo(store, id, c, time.Now()) }, nil
	}
	e, err := replica.Alone(context.Background(), replica.Config{
		Node: 1, Shards: 8, Log: store.Log(), State: store, Address: func(core.NodeID) string { return "" },
	})
	return func(id cluster.ShardID, c cluster.Commit) error {
		shard, _ := e.Lead(id)
		return shard.Commit(context.Background(), c)
	}, err
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
