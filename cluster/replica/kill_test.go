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

// TestWhatIsAcknowledgedSurvivesKills: two processes, one after the other, are
// killed under load. Whatever either of them acknowledged is there.
func TestWhatIsAcknowledgedSurvivesKills(t *testing.T) {
	dir := t.TempDir()
	acknowledged := 0
	for range 2 {
		acknowledged = writeAndKill(t, dir, acknowledged)
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

func shardOf(i int) cluster.ShardID { return cluster.ShardID(1 + i%8) }

// The environment that makes the test binary the process that is killed.
const (
	dirEnv  = "SSOD_TEST_DIR"
	fromEnv = "SSOD_TEST_FROM"
)

// writeAndKill runs this binary as a writer of entities from the given number
// on and kills it. It returns the number after the last one acknowledged.
func writeAndKill(t *testing.T, dir string, from int) int {
	t.Helper()
	writer := exec.CommandContext(t.Context(), os.Args[0])
	writer.Env = append(os.Environ(), dirEnv+"="+dir, fmt.Sprint(fromEnv, "=", from))
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
			t.Fatalf("acknowledged %q after %d", got, next-1)
		}
		if next == from+100 {
			writer.Process.Kill()
		}
	}
	if err := writer.Wait(); err == nil || next <= from+100 {
		t.Fatalf("it ended at %d by itself: %v", next, err)
	}
	return next
}

// writeUntilKilled commits one entity after the other and prints its number
// when it is acknowledged.
func writeUntilKilled(dir string) {
	from, _ := strconv.Atoi(os.Getenv(fromEnv))
	store, err := persistence.Open(persistence.Options{
		Dir: dir, DefaultNode: "n1", Shards: 8, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fatal(err)
	}
	e, err := replica.Alone(context.Background(), replica.Config{
		Node: 1, Shards: 8, Log: store.Log(), State: store, Address: func(core.NodeID) string { return "" },
	})
	if err != nil {
		fatal(err)
	}
	for i := from; ; i++ {
		// A commit that the killed process began may be there.
		h, _, err := store.Head(shardOf(i), entity(i))
		if err == nil {
			shard, _ := e.Lead(shardOf(i))
			err = shard.Commit(context.Background(), cluster.Commit{Entity: entity(i), BaseRev: h.Rev, State: []byte(strconv.Itoa(i))})
		}
		if err != nil {
			fatal(err)
		}
		fmt.Println(i)
	}
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
