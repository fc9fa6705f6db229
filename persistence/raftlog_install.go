package persistence

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	iofs "io/fs"
	"maps"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	pb "go.etcd.io/raft/v3/raftpb"
)

// Install replaces a shard's state and log by a snapshot whose file was
// received. In order:
//
//  1. a marker that says all of it, synced;
//  2. the state, by a table that takes the place of everything the shard had;
//  3. log, hard state, position and the end of the marker, in one synced batch.
//
// A crash after 1 leaves a marker, and the next [Log.Replicas] does 2 and 3
// again from the file, which is kept until then. Nothing is ever wiped: the hard
// state, with the vote in it, is there all the time.
func (l *Log) Install(in Install) (Applied, error) {
	b := l.s.db.NewBatch()
	defer b.Close()
	if err := setMessage(b, logStateKey(in.Shard, logInstall), markerOf(in)); err != nil {
		return Applied{}, err
	}
	if err := l.commit(b, pebble.Sync); err != nil {
		return Applied{}, err
	}
	return l.finishInstall(in)
}

// markerOf puts an installation into the form of a raft message, which has a
// field for each part.
func markerOf(in Install) *pb.Message {
	m := &pb.Message{Snapshot: in.Snapshot, Entries: in.Entries}
	if in.Hard != nil {
		m.Term, m.Vote, m.Commit = in.Hard.Term, in.Hard.Vote, in.Hard.Commit
	}
	return m
}

func installOf(shard ShardID, m *pb.Message) Install {
	in := Install{Shard: shard, Snapshot: m.GetSnapshot(), Entries: m.GetEntries()}
	if m.Term != nil {
		in.Hard = &pb.HardState{Term: m.Term, Vote: m.Vote, Commit: m.Commit}
	}
	return in
}

// redoInstall finishes an installation that a crash cut short.
func (l *Log) redoInstall(shard ShardID) error {
	b, err := l.s.get(logStateKey(shard, logInstall))
	if err != nil || b == nil {
		return err
	}
	m := &pb.Message{}
	if err := openMessage(b, m); err != nil {
		return fmt.Errorf("installation in shard %d: %w", shard, err)
	}
	_, err = l.finishInstall(installOf(shard, m))
	return err
}

func (l *Log) finishInstall(in Install) (Applied, error) {
	a, err := l.replaceState(in)
	if err == nil {
		err = l.replaceLog(in, a)
	}
	if err == nil {
		err = l.reload(in.Shard, a)
	}
	if err != nil {
		return Applied{}, fmt.Errorf("install snapshot in shard %d: %w", in.Shard, err)
	}
	return a, l.DiscardSnapshot(string(in.Snapshot.GetData()))
}

// replaceState puts the snapshot's table in place of the shard's state. Pebble
// takes the file away, so it gets a second name of it.
func (l *Log) replaceState(in Install) (Applied, error) {
	file, fs := l.snapshotPath(string(in.Snapshot.GetData())), l.s.dir.fs
	second := file + ".ingest"
	if err := fs.Remove(second); err != nil && !errors.Is(err, iofs.ErrNotExist) {
		return Applied{}, err
	}
	if err := fs.Link(file, second); err != nil {
		return Applied{}, err
	}
	span := shardSpan(in.Shard)
	if _, err := l.s.db.IngestAndExcise(context.Background(), []string{second}, nil, nil, span); err != nil {
		return Applied{}, damaged(err)
	}
	meta := in.Snapshot.GetMetadata()
	return Applied{
		Position: Position{meta.GetIndex(), meta.GetTerm()}, Conf: meta.GetConfState(), Time: l.storedTime(in.Shard),
	}, nil
}

// replaceLog makes the log begin after the snapshot.
func (l *Log) replaceLog(in Install, a Applied) error {
	b := l.s.db.NewBatch()
	defer b.Close()
	if err := b.DeleteRange(entryKey(in.Shard, 0), entryKey(in.Shard, ^uint64(0)), nil); err != nil {
		return err
	}
	l.setEnd(in.Shard, a.Index)
	w := LogWrite{Shard: in.Shard, Entries: in.Entries, Hard: in.Hard, Truncate: a.Position}
	if err := l.stageWrite(b, &w); err != nil {
		return err
	}
	if err := stageApplied(b, in.Shard, a); err != nil {
		return err
	}
	if err := b.Delete(logStateKey(in.Shard, logInstall), nil); err != nil {
		return err
	}
	return l.commit(b, pebble.Sync)
}

// storedTime is the shard time in the state, 0 when nothing has one yet.
func (l *Log) storedTime(shard ShardID) uint64 {
	b, err := l.s.get(appendShard(nil, shard, subTime))
	if err != nil || len(b) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

// reload forgets what memory knows of a shard and reads it anew.
func (l *Log) reload(shard ShardID, a Applied) error {
	p, err := progressOf(a)
	if err != nil {
		return err
	}
	l.setProgress(shard, p)
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	l.s.revs.drop(string(appendShard(nil, shard, subEntity)))
	sh := &l.s.shards[shard]
	sh.time.Store(0)
	sh.reset.Store(0)
	sh.stored, sh.oldest, sh.from = 0, 0, nil
	sh.recent.clear()
	if _, err := l.s.scanShard(l.s.known.filter.Load(), appendShard(nil, shard, subEntity), haste{}); err != nil {
		return err
	}
	return l.s.loadShard(shard, sh)
}

// drop forgets the entities whose key has a prefix.
func (r *revisions) drop(prefix string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.epoch++
	for _, g := range []*generation{&r.new, &r.old} {
		maps.DeleteFunc(g.entities, func(k string, _ *revision) bool { return strings.HasPrefix(k, prefix) })
	}
}

// clear forgets all outcomes.
func (r *recent) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.blind, r.generations = 0, nil
}
