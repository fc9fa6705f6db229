package core

import (
	"fmt"

	"go.etcd.io/raft/v3/confchange"
	pb "go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"
	"google.golang.org/protobuf/proto"
)

// decodeConfChange returns the configuration change that an entry carries,
// false when it carries none.
func decodeConfChange(e *pb.Entry) (*pb.ConfChangeV2, bool, error) {
	var err error
	var cc pb.ConfChangeI
	switch e.GetType() {
	case pb.EntryConfChange:
		v1 := &pb.ConfChange{}
		err, cc = proto.Unmarshal(e.GetData(), v1), v1
	case pb.EntryConfChangeV2:
		v2 := &pb.ConfChangeV2{}
		err, cc = proto.Unmarshal(e.GetData(), v2), v2
	default:
		return nil, false, nil
	}
	if err != nil {
		return nil, true, fmt.Errorf("configuration change at %d: %w", e.GetIndex(), err)
	}
	return cc.AsV2(), true, nil
}

// nextConf returns the configuration after a change. Raft computes the same when it is
// told that the entry was applied; it is needed before, to be written together with the
// applied index (raft thesis 4.1: a server uses the newest configuration it has stored).
func nextConf(cs *pb.ConfState, cc *pb.ConfChangeV2) (*pb.ConfState, error) {
	ch := confchange.Changer{Tracker: tracker.MakeProgressTracker(1, 0)}
	cfg, progress, err := confchange.Restore(ch, cs)
	if err != nil {
		return nil, err
	}
	ch.Tracker.Config, ch.Tracker.Progress = cfg, progress
	if cc.LeaveJoint() {
		cfg, progress, err = ch.LeaveJoint()
	} else if autoLeave, ok := cc.EnterJoint(); ok {
		cfg, progress, err = ch.EnterJoint(autoLeave, cc.Changes...)
	} else {
		cfg, progress, err = ch.Simple(cc.Changes...)
	}
	if err != nil {
		return nil, err
	}
	ch.Tracker.Config, ch.Tracker.Progress = cfg, progress
	return ch.Tracker.ConfState(), nil
}
