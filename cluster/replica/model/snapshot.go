package model

import (
	"fmt"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/replica/core"
	"ssod/cluster/replica/internal/planted"
)

// Export flushes a shard and returns its state.
func (s *Store) Export(id core.ShardID) (Image, error) {
	sh := s.current.shards[id]
	if sh == nil {
		return Image{}, ErrNoShard
	}
	if s.bugs.Has(planted.ExportWithoutOverlay) {
		return Image{Applied: s.of(id).applied, state: sh.state.clone()}, nil
	}
	s.Flush(id)
	return Image{Applied: sh.applied, state: sh.state.clone()}, nil
}

// Metadata describes the image in a MsgSnap.
func (i Image) Metadata() *pb.SnapshotMetadata {
	return &pb.SnapshotMetadata{
		Index: new(i.Applied.Index), Term: new(i.Applied.Term), ConfState: i.Applied.Conf,
	}
}

// Receive stores the files of a snapshot, durably.
func (s *Store) Receive(name string, i Image) { s.files[name] = i }

// Discard removes the files of a snapshot.
func (s *Store) Discard(name string) { delete(s.files, name) }

// Install implements [core.Store].
func (s *Store) Install(in core.Install) (core.Applied, error) {
	if err := s.BeginInstall(in); err != nil {
		return core.Applied{}, err
	}
	return s.FinishInstall(in.Shard)
}

// BeginInstall writes the marker of an installation, durably.
func (s *Store) BeginInstall(in core.Install) error {
	if _, ok := s.files[string(in.Snapshot.GetData())]; !ok {
		return fmt.Errorf("install in %d: %w", in.Shard, ErrNoSnapshot)
	}
	s.write(func(d *disk) { d.shards[in.Shard].marker = &in })
	s.Sync()
	return nil
}

// FinishInstall carries out a marker: it replaces the state, then, in one
// synced write, the log and the hard state, and removes the marker. It may be
// repeated.
func (s *Store) FinishInstall(id core.ShardID) (core.Applied, error) {
	in := s.current.shards[id].marker
	name := string(in.Snapshot.GetData())
	image, ok := s.files[name]
	if !ok {
		return core.Applied{}, fmt.Errorf("install in %d: %w", id, ErrNoSnapshot)
	}
	s.write(func(d *disk) { d.shards[id].state = image.state.clone() })
	s.write(func(d *disk) {
		sh := d.shards[id]
		sh.applied, sh.truncated, sh.log = image.Applied, image.Applied.Position, nil
		sh.append(core.LogWrite{Hard: in.Hard, Entries: in.Entries})
		sh.marker = nil
	})
	s.Sync()
	if m := s.of(id); s.bugs.Has(planted.OverlaySurvivesInstall) {
		m.applied = image.Applied
	} else {
		delete(s.memory, id)
	}
	delete(s.files, name)
	return image.Applied, nil
}
