package core_test

import (
	"fmt"
	"testing"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/replica/core"
)

// rounds are the messages to one node of a round under load: entries of 22 shards,
// and the acknowledgements of as many.
func roundsOf(size int) map[string][]core.Envelope {
	rounds := map[string][]core.Envelope{}
	for s := range core.ShardID(22) {
		head := func(kind pb.MessageType) *pb.Message {
			return &pb.Message{
				Type: kind.Enum(), To: new(uint64(id(1))), From: new(uint64(id(2))), Term: new(uint64(3)), Index: new(uint64(4000)),
			}
		}
		m := head(pb.MsgApp)
		m.LogTerm, m.Commit = new(uint64(3)), new(uint64(3999))
		m.Entries = []*pb.Entry{{Index: new(uint64(4001)), Term: new(uint64(3)), Data: make([]byte, size)}}
		rounds["entries"] = append(rounds["entries"], core.Envelope{Shard: s, Message: m})
		rounds["answers"] = append(rounds["answers"], core.Envelope{Shard: s, Message: head(pb.MsgAppResp)})
	}
	return rounds
}

func BenchmarkFrame(b *testing.B) {
	for _, size := range []int{600, 8 * 600} {
		for what, es := range roundsOf(size) {
			b.Run(fmt.Sprintf("encode %s of %d", what, size), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := core.AppendFrame(nil, es); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(fmt.Sprintf("decode %s of %d", what, size), func(b *testing.B) {
				frame, err := core.AppendFrame(nil, es)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					if _, err := core.DecodeFrame(frame); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
