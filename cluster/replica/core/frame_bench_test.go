package core_test

import (
	"testing"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/replica/core"
)

// BenchmarkAppendFrame encodes a round under load: 22 shards, one entry of eight
// commits each.
func BenchmarkAppendFrame(b *testing.B) {
	var es []core.Envelope
	for s := range core.ShardID(22) {
		es = append(es, core.Envelope{Shard: s, Message: &pb.Message{
			Type: pb.MsgApp.Enum(), To: new(uint64(1)), From: new(uint64(2)), Term: new(uint64(3)), Index: new(uint64(4)), LogTerm: new(uint64(5)), Commit: new(uint64(6)),
			Entries: []*pb.Entry{{Index: new(uint64(5)), Term: new(uint64(3)), Data: make([]byte, 8*600)}},
		}})
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := core.AppendFrame(nil, es); err != nil {
			b.Fatal(err)
		}
	}
}
