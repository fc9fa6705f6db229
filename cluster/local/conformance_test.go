package local_test

import (
	"io"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ssod/cluster"
	"ssod/cluster/local"
	"ssod/cluster/shardtest"
	"ssod/persistence"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open leads all shards of a store in memory until the test ends.
func open(t *testing.T, o persistence.Options, c local.Config) *local.Shards {
	t.Helper()
	if o.FS == nil {
		o.FS = vfs.NewMem()
	}
	o.Logger = slog.New(slog.DiscardHandler)
	o.Dir, o.DefaultNode = "data", "n1"
	store, err := persistence.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	c.Store, c.Address = store, "a:1"
	shards, err := local.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shards.Close() })
	return shards
}

func TestConformance(t *testing.T) {
	shardtest.Run(t, shardtest.Implementation{
		Open: func(t *testing.T, clock func() time.Time) cluster.Shards {
			return open(t, persistence.Options{}, local.Config{Clock: clock})
		},
		Lose: func(s cluster.Shards) { s.(io.Closer).Close() },
	})
}
