// Command leveldata makes the data directories of the format levels that versions of
// ssod must be able to read for ever, one for each level:
//
//	go run ./cmd/internal/leveldata cmd/internal/leveldata/testdata/level2
//
// A directory is made once, by the first version that has the level, and committed. Its
// test opens a copy with the version at hand and reads all of it.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"ssod/cluster"
	"ssod/cluster/meta"
	"ssod/cluster/placement"
	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/persistence"
	"ssod/persistence/level"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: leveldata DIR")
		os.Exit(2)
	}
	if err := generate(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "leveldata:", err)
		os.Exit(1)
	}
}

// shards is how many shards the directory has.
const shards = 2

// generate makes a directory as a crash leaves it: the first half of what was committed
// is in tables, then some is in the write-ahead log as state, and some as entries only.
func generate(ctx context.Context, target string) error {
	work, err := os.MkdirTemp("", "leveldata")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	err = with(ctx, work, func(n *node) error {
		return errors.Join(n.found(ctx), n.write(ctx, 0), n.write(ctx, 1))
	})
	if err != nil {
		return err
	}
	return with(ctx, work, func(n *node) error {
		return errors.Join(n.write(ctx, 2), n.store.Log().Flush(), n.write(ctx, 3), copyOf(work, target))
	})
}

// copyOf copies a directory in which everything is synced. Pebble may still be deleting
// files that it does not need any more.
func copyOf(work, target string) error {
	for {
		err := os.CopyFS(target, os.DirFS(work))
		if err == nil {
			break
		}
		if err := errors.Join(os.RemoveAll(target), ignore(err, os.ErrNotExist)); err != nil {
			return err
		}
	}
	return errors.Join(
		ignore(os.Remove(filepath.Join(target, "LOCK")), os.ErrNotExist),
		ignore(os.Remove(filepath.Join(target, "ballast")), os.ErrNotExist),
	)
}

func ignore(err, harmless error) error {
	if errors.Is(err, harmless) {
		return nil
	}
	return err
}

// with does something with an open directory.
func with(ctx context.Context, dir string, do func(*node) error) error {
	n, err := open(ctx, dir)
	if err != nil {
		return err
	}
	return errors.Join(do(n), n.close())
}

// node is a data directory with an engine that leads all of its shards.
type node struct {
	store  *persistence.Store
	engine *replica.Engine
	tables *meta.Store
}

func open(ctx context.Context, dir string) (*node, error) {
	n := &node{}
	var err error
	n.store, err = persistence.Open(persistence.Options{
		Dir: dir, DefaultNode: "n1", Shards: shards, Reserve: 1, Ballast: 1, MemTableBytes: 256 << 10, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	n.engine, err = replica.Alone(ctx, replica.Config{
		Node: 1, Shards: shards, Log: n.store.Log(), State: n.store, Level: n.store.Level, Address: func(core.NodeID) string { return "" },
	})
	if err == nil {
		n.tables, err = meta.Open(ctx, n.engine)
	}
	if err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

func (n *node) close() (err error) {
	if n.engine != nil {
		err = n.engine.Close()
	}
	return errors.Join(err, n.store.Close())
}

// found writes the tables that a cluster begins with, at the newest level.
func (n *node) found(ctx context.Context) error {
	if err := n.store.RaiseLevel(level.Newest); err != nil {
		return err
	}
	if err := placement.FoundSettings(ctx, n.tables, settings(level.Newest)); err != nil {
		return err
	}
	_, err := placement.Divide(ctx, n.tables, shards)
	return err
}

// settings are those of a directory of a level.
func settings(at int) placement.Settings {
	s := placement.DefaultSettings()
	if at > level.First {
		s.Level = at
	}
	return s
}

const (
	rounds   = 4  // in which every entity is changed
	entities = 24 // of which some are removed in the end
)

// address is the n-th entity.
func address(n int) cluster.Entity {
	return cluster.Entity{Kind: []string{"profile", "device", "session"}[n%3], Identity: fmt.Sprint("entity-", n)}
}

// change is what a round makes of the n-th entity.
func change(n, round int) cluster.Commit {
	c := cluster.Commit{
		Entity: address(n), BaseRev: uint64(round), Schema: uint32(n % 2), State: fmt.Appendf(nil, "state %d of entity %d", round, n),
		Outcomes: []cluster.Outcome{{Request: request(n, round), Step: uint32(round), Result: fmt.Appendf(nil, "result %d of entity %d", round, n)}},
	}
	if n%4 == 0 {
		c.Puts = []cluster.Record{{Part: fmt.Sprint("part ", round), Value: fmt.Append(nil, "value ", n)}}
		if round > 0 {
			c.Deletes = []string{fmt.Sprint("part ", round-1)}
		}
	}
	if round == rounds-1 && removed(n) {
		c.Remove, c.Schema, c.State, c.Puts, c.Deletes = true, 0, nil, nil, nil
	}
	return c
}

func removed(n int) bool { return n%8 == 7 }

func request(n, round int) (r cluster.RequestID) {
	copy(r[:], fmt.Sprintf("%08d%08d", n, round))
	return r
}

func (n *node) write(ctx context.Context, round int) error {
	slots := cluster.DivideSlots(shards)
	for i := range entities {
		c := change(i, round)
		shard, ok := n.engine.Lead(slots.Of(c.Entity))
		if !ok {
			return fmt.Errorf("shard %d is not led", slots.Of(c.Entity))
		}
		c.Events = events(i, round)
		if err := shard.Commit(ctx, c); err != nil {
			return fmt.Errorf("entity %d, round %d: %w", i, round, err)
		}
		if err := mark(ctx, shard, i, round); err != nil {
			return fmt.Errorf("events of entity %d, round %d: %w", i, round, err)
		}
	}
	return nil
}
