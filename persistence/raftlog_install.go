package persistence

import (
	"context"
	"errors"
	"fmt"
	iofs "io/fs"

	"github.com/cockroachdb/pebble/v2"
	pb "go.etcd.io/raft/v3/raftpb"
)

// Install is a snapshot to be installed.
type Install struct {
	Shard ShardID
	// Snapshot has the place and the configuration; its Data names the files
	// that were received.
	Snapshot *pb.Snapshot
	// Hard is written together with it, and so are Entries, which follow it
	// in the log.
	Hard    *pb.HardState
	Entries []*pb.Entry
}

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
	if err := l.s.commit(b, pebble.Sync); err != nil {
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

func (l *Log) finishInstall(in Install) (a Applied, err error) {
	err = l.s.replace(in.Shard, func() error {
		if a, err = l.replaceState(in); err != nil {
			return err
		}
		l.s.shards[in.Shard].flushed.Store(a.Index)
		return l.replaceLog(in, a)
	})
	if err != nil {
		return Applied{}, fmt.Errorf("install snapshot in shard %d: %w", in.Shard, err)
	}
	return a, l.DiscardSnapshot(string(in.Snapshot.GetData()))
}

// replaceState puts the snapshot's table in place of the shard's state. Pebble
// takes the file away, so it gets a second name of it.
func (l *Log) replaceState(in Install) (Applied, error) {
	file, fs := l.snapshotPath(string(in.Snapshot.GetData())), l.s.dir.FS
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
	time, err := l.s.timeIn(in.Shard)
	meta := in.Snapshot.GetMetadata()
	return Applied{Position: Position{Index: meta.GetIndex(), Term: meta.GetTerm()}, Conf: meta.GetConfState(), Time: time}, err
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
	return l.s.commit(b, pebble.Sync)
}

// replace does something that replaces what Pebble has of a shard's state, and has
// memory know nothing of what was there before. Reads of the shard wait, else they
// would find the layers of before over the state of afterwards.
func (s *Store) replace(id ShardID, do func() error) error {
	sh := s.shard(id)
	if sh == nil {
		return ErrInvalid
	}
	sh.writing.Lock()
	defer sh.writing.Unlock()
	sh.unscanned.Store(true)
	if err := s.swap(id, sh, do); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.scanShard(s.known.filter.Load(), appendShard(nil, id, subEntity), haste{})
	if err == nil {
		sh.unscanned.Store(false)
	}
	return err
}

// swap is what readers must not see half of. Who applies to a shard takes the
// store's lock before the shard's, so it is not taken here.
func (s *Store) swap(id ShardID, sh *shard, do func() error) error {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if err := do(); err != nil {
		return err
	}
	s.revs.drop(string(appendShard(nil, id, subEntity)))
	return s.loadShard(id, sh)
}

// reload has memory read anew where a shard is.
func (s *Store) reload(id ShardID) error {
	return s.replace(id, func() error { return nil })
}
