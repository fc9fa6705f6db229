package persistence

import (
	"context"
	"errors"
	"fmt"
	iofs "io/fs"

	"github.com/cockroachdb/pebble/v2"
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/persistence/layout"
)

// Install is a snapshot to be installed.
type Install struct {
	Shard ShardID
	// Snapshot has the position and the configuration; its Data names the received file.
	Snapshot *pb.Snapshot
	// Hard and Entries, which follow the snapshot in the log, are written with it.
	Hard    *pb.HardState
	Entries []*pb.Entry
}

// Install replaces a shard's state and log by a snapshot whose file was
// received. In order:
//
//  1. the file moves to where the next start finds it;
//  2. a marker that describes the installation, synced;
//  3. the state, by a table that replaces everything the shard had;
//  4. log, hard state, position and removal of the marker, in one synced batch.
//
// After a crash behind 2 the next [Log.Replicas] finds the marker and does 3 and 4 again
// from the file, which is kept until then. The hard state with the vote is never missing.
func (l *Log) Install(in Install) (Applied, error) {
	if err := l.keepSnapshot(string(in.Snapshot.GetData())); err != nil {
		return Applied{}, fmt.Errorf("install snapshot in shard %d: %w", in.Shard, err)
	}
	b := l.s.db.NewBatch()
	defer b.Close()
	if err := layout.SetMessage(b, layout.LogStateKey(in.Shard, layout.LogInstall), markerOf(in)); err != nil {
		return Applied{}, err
	}
	if err := l.s.db.Commit(b, pebble.Sync); err != nil {
		return Applied{}, err
	}
	return l.finishInstall(in)
}

// markerOf encodes an installation as a raft message, which has a field for each part.
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

// Replicas returns the replicas that the store holds, by shard. It finishes
// installations that a crash cut short.
func (l *Log) Replicas() ([]Replica, error) {
	shards, err := l.s.log.Shards()
	if err != nil {
		return nil, err
	}
	var rs []Replica
	for _, shard := range shards {
		if err := l.redoInstall(shard); err != nil {
			return nil, err
		}
		r, err := l.s.log.Replica(shard)
		if err != nil {
			return nil, err
		}
		rs = append(rs, r)
	}
	return rs, nil
}

// redoInstall finishes an installation that a crash cut short.
func (l *Log) redoInstall(shard ShardID) error {
	b, err := l.s.db.Read(layout.LogStateKey(shard, layout.LogInstall))
	if err != nil || b == nil {
		return err
	}
	m := &pb.Message{}
	if err := layout.OpenMessage(b, m); err != nil {
		return fmt.Errorf("installation in shard %d: %w", shard, err)
	}
	_, err = l.finishInstall(installOf(shard, m))
	return err
}

func (l *Log) finishInstall(in Install) (a Applied, err error) {
	err = l.s.shards.Replace(in.Shard, func() error {
		if a, err = l.replaceState(in); err != nil {
			return err
		}
		return l.s.log.Restart(LogWrite{Shard: in.Shard, Hard: in.Hard, Entries: in.Entries}, a)
	})
	if err != nil {
		return Applied{}, fmt.Errorf("install snapshot in shard %d: %w", in.Shard, err)
	}
	return a, l.removeSnapshot(installs, string(in.Snapshot.GetData()))
}

// replaceState replaces the shard's state by the snapshot's table. Pebble moves the file,
// so it gets a second link.
func (l *Log) replaceState(in Install) (Applied, error) {
	file, fs := l.snapshotPath(installs, string(in.Snapshot.GetData())), l.s.dir.FS
	second := file + ".ingest"
	if err := fs.Remove(second); err != nil && !errors.Is(err, iofs.ErrNotExist) {
		return Applied{}, err
	}
	if err := fs.Link(file, second); err != nil {
		return Applied{}, err
	}
	span := layout.ShardSpan(in.Shard)
	if _, err := l.s.db.IngestAndExcise(context.Background(), []string{second}, nil, nil, span); err != nil {
		return Applied{}, layout.Damaged(err)
	}
	time, err := layout.ReadTime(l.s.db, in.Shard)
	meta := in.Snapshot.GetMetadata()
	return Applied{Position: Position{Index: meta.GetIndex(), Term: meta.GetTerm()}, Conf: meta.GetConfState(), Time: time}, err
}
