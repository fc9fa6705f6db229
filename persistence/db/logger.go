package db

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"ssod/persistence/layout"
)

// logger passes Pebble's errors to the log and drops its information.
type logger struct {
	log  *slog.Logger
	fail func(error)
	last atomic.Int64 // when a background error was logged, in Unix seconds
}

func (l *logger) Infof(string, ...any) {}

func (l *logger) Errorf(format string, args ...any) {
	l.log.Error("store", "error", fmt.Sprintf(format, args...))
}

// Fatalf implements pebble.Logger. Pebble expects that it does not return.
func (l *logger) Fatalf(format string, args ...any) {
	err := fmt.Errorf("%w: "+format, append([]any{ErrFailed}, args...)...)
	l.fail(err)
	panic(err)
}

// background logs an error of background work, at most one per second: Pebble retries at
// once. Its errors print their stack unless they are a string.
func (l *logger) background(err error) {
	if now := time.Now().Unix(); l.last.Swap(now) != now {
		l.log.Error("store: background work failed and will be repeated", "error", err.Error())
	}
}

func (l *logger) events() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: l.background,
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			l.log.Error("store: damaged file; stop the node and move its data directory aside; a member of a cluster joins again with an empty one, and only a node that is alone is restored from a copy",
				"file", info.Path, "error", info.Details.Error())
		},
		WriteStallBegin: func(info pebble.WriteStallBeginInfo) {
			l.log.Warn("store: changes wait for background work", "reason", info.Reason)
		},
		WriteStallEnd: func() { l.log.Warn("store: changes go on") },
	}
}

// comparer is Pebble's own order of keys, but does not print them.
func comparer() *pebble.Comparer {
	c := *pebble.DefaultComparer
	c.FormatKey = func(k []byte) fmt.Formatter { return hiddenKey(k) }
	return &c
}

// hiddenKey prints the space and shard of a key and its length.
type hiddenKey []byte

func (k hiddenKey) Format(f fmt.State, _ rune) {
	shown := []byte(k[:min(len(k), layout.ShardKeyLen)])
	fmt.Fprintf(f, "%x+%d", shown, len(k)-len(shown))
}
