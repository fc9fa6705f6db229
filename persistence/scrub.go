package persistence

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"ssod/persistence/layout"
)

// Scrub removes what was overwritten or deleted in some shards before the call from every
// file of the data directory. Pebble itself may keep it for long: in tables until they are
// compacted, and in files of the write-ahead log, which it reuses without shortening them.
//
// shards says up to where each shard's log must be truncated, which Scrub waits for. It
// rewrites the tables of those shards and retires all files of the write-ahead log.
// Readers and writers go on. One call runs at a time; it may be repeated, and fails with
// the context's error when files stay in use, for instance by the export of a snapshot, or
// when a backup pins an older state.
func (s *Store) Scrub(ctx context.Context, shards map[ShardID]uint64) error {
	if err := s.readers.enter(); err != nil {
		return err
	}
	defer s.readers.leave()
	s.scrubbing.Lock()
	defer s.scrubbing.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() { // closing does not wait for a compaction
		select {
		case <-s.stop:
			cancel(ErrClosed)
		case <-ctx.Done():
		}
	}()
	err := s.awaitPins(ctx)
	if err == nil {
		err = s.truncated(ctx, shards)
	}
	if err == nil {
		err = s.scrub(ctx, slices.Collect(maps.Keys(shards)))
	}
	if err != nil {
		return fmt.Errorf("scrub: %w", err)
	}
	return nil
}

// truncated waits until each shard's log begins behind the index.
func (s *Store) truncated(ctx context.Context, shards map[ShardID]uint64) error {
	pace := time.NewTicker(scrubPace)
	defer pace.Stop()
	for shard, upTo := range shards {
		for {
			begins, err := s.beginning(shard)
			if err != nil {
				return err
			}
			if begins >= upTo {
				break
			}
			select {
			case <-pace.C:
			case <-ctx.Done():
				return fmt.Errorf("%w; the log of shard %d begins behind %d", context.Cause(ctx), shard, begins)
			}
		}
	}
	return nil
}

// beginning is the index behind which a shard's log begins; without a replica the largest.
func (s *Store) beginning(shard ShardID) (uint64, error) {
	b, err := s.db.Read(layout.LogStateKey(shard, layout.LogTruncated))
	if b == nil || err != nil {
		return math.MaxUint64, err
	}
	if b, err = layout.Unsealed(b); err != nil {
		return 0, err
	}
	p, err := layout.DecodePosition(b)
	return p.Index, err
}

func (s *Store) scrub(ctx context.Context, shards []ShardID) error {
	before, err := s.files()
	if err != nil {
		return err
	}
	s.stale.Set(before)
	for _, shard := range shards {
		for _, span := range []pebble.KeyRange{layout.ShardSpan(shard), layout.EntrySpan(shard)} {
			if err := s.db.Compact(ctx, span.Start, span.End, false); err != nil {
				return fmt.Errorf("compact shard %d: %w", shard, err)
			}
		}
	}
	return s.outlive(ctx, before)
}

// scrubPace is how often Scrub polls: Pebble deletes files in its own time.
const scrubPace = 10 * time.Millisecond

// outlive waits until no file is left that may hold deleted data.
func (s *Store) outlive(ctx context.Context, before []string) error {
	pace := time.NewTicker(scrubPace)
	defer pace.Stop()
	for {
		// A write-ahead log lives until all of it is in tables, and is then queued
		// for reuse: each flush takes one from the queue.
		if err := s.db.Flush(); err != nil {
			return err
		}
		left, err := s.left(ctx, before)
		if err != nil || len(left) == 0 {
			return err
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			return fmt.Errorf("%w; in use: %s", context.Cause(ctx), strings.Join(left, ", "))
		}
	}
}

// left are the old files that still exist, without tables in use: the compaction would
// have rewritten these. Tables that share a file are rewritten first, because the file has
// more than they show.
func (s *Store) left(ctx context.Context, before []string) ([]string, error) {
	used, shared, err := s.tables()
	if err != nil {
		return nil, err
	}
	for _, t := range shared {
		if !slices.Contains(before, t.file) {
			continue
		}
		if err := s.db.Compact(ctx, t.span.Start, t.span.End, false); err != nil {
			return nil, err
		}
	}
	now, err := s.files()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(now, func(name string) bool { return used[name] || !slices.Contains(before, name) }), nil
}

// sharedTable is a table that is only a part of its file.
type sharedTable struct {
	file string
	span pebble.KeyRange
}

// tables are the files of tables in use that fill their file, and the other tables.
func (s *Store) tables() (whole map[string]bool, shared []sharedTable, err error) {
	levels, err := s.db.SSTables()
	if err != nil {
		return nil, nil, layout.Damaged(err)
	}
	whole = make(map[string]bool)
	for _, level := range levels {
		for _, t := range level {
			file := t.BackingSSTNum.String() + ".sst"
			if !t.Virtual {
				whole[file] = true
				continue
			}
			end := append(slices.Clone(t.Largest.UserKey), 0)
			shared = append(shared, sharedTable{file, pebble.KeyRange{Start: t.Smallest.UserKey, End: end}})
		}
	}
	return whole, shared, nil
}

// files are the names of all tables, write-ahead logs and snapshots.
func (s *Store) files() (names []string, err error) {
	for _, dir := range []string{s.dir.Store(), s.dir.File(transfers), s.dir.File(installs)} {
		all, err := s.opts.FS.List(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, name := range all {
			if strings.HasSuffix(name, ".sst") || strings.HasSuffix(name, ".log") {
				names = append(names, name)
			}
		}
	}
	return names, nil
}
