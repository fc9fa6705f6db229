package core

import pb "go.etcd.io/raft/v3/raftpb"

// election is what decides who leads, beyond raft: whom this replica hears, when it
// stands, and to whom it leaves it. All times are ticks.
type election struct {
	// heard is when each other voter sent something. silent is for how many ticks
	// a leader has not heard a majority, and since is when it began to lead.
	heard  tally
	silent int
	since  uint64
	// stands is when this replica stands because the leader is gone, asked for how
	// many ticks it has asked again to be encouraged.
	stands stands
	asked  int
	// yields is whom this replica leaves the election to, request who has asked for
	// its vote, and postponed is encouragement until that is answered.
	yields    yields
	request   request
	postponed []*pb.Message
}
