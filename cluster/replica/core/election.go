package core

import pb "go.etcd.io/raft/v3/raftpb"

// election is what decides about leaders besides raft. All times are ticks.
type election struct {
	// heard is when each other voter sent something last. noQuorum counts the ticks
	// for which a leader has not heard a majority; it began to lead at since.
	heard    tally
	noQuorum int
	since    uint64
	// campaign is due because the leader is gone; retries counts the pre-vote
	// requests that were repeated.
	campaign campaign
	retries  int
	// granted is the last pre-vote, request the last request for a vote, and
	// deferred are pre-votes that wait until it is answered.
	granted  grant
	request  request
	deferred []*pb.Message
}
