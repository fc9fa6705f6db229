package core_test

import (
	"slices"
	"testing"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/replica/core"
)

func TestVoteRequestWaitsForTheOwnVote(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	for range 20 {
		b.core.Tick()
	}
	b.settle()
	if !b.has(pb.MsgPreVote) {
		t.Fatal("no election")
	}
	b.receive(2, &pb.Message{Type: pb.MsgPreVoteResp.Enum(), Term: new(uint64(2))})
	out := b.round()
	if b.has(pb.MsgVote) {
		t.Error("MsgVote left before the own vote was written")
	}
	if out.Append == nil || !out.Append.Sync || out.Append.Writes[0].Hard.GetVote() != uint64(id(1)) {
		t.Fatalf("the own vote is not synced: %+v", out.Append)
	}
	b.finish(out)
	b.settle()
	if !b.has(pb.MsgVote) {
		t.Error("MsgVote did not leave after it")
	}
}

func TestALostConnectionStartsAnElection(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.receive(2, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: new(uint64(2))})
	b.settle()
	b.core.ConnectionLost(3) // does not lead
	b.settle()
	if b.has(pb.MsgPreVote) {
		t.Fatal("an election although the leader is there")
	}
	b.core.ConnectionLost(2)
	b.settle()
	if !b.has(pb.MsgPreVote) {
		t.Error("no election")
	}
	// A voter that has not noticed the loss does not answer: it is asked again.
	b.elections(true, true, true)
}

// elections checks in which of the next ticks there is an election.
func (b *bench) elections(want ...bool) {
	b.Helper()
	for i, want := range want {
		b.sent = nil
		b.core.Tick()
		b.settle()
		if got := b.has(pb.MsgPreVote); got != want {
			b.Errorf("tick %d: election %v, want %v", i+1, got, want)
		}
	}
}

// TestTheNextVoterCampaignsALittleLater: the first may be behind, or gone as well.
func TestTheNextVoterCampaignsALittleLater(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.receive(3, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: new(uint64(2))})
	b.settle()
	b.core.ConnectionLost(3)
	b.settle()
	if !b.has(pb.MsgPreVote) {
		t.Error("the first does not campaign at once")
	}

	late := newBench(t, 1, 0, 3) // node 0 is before this one
	late.receive(3, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: new(uint64(2))})
	late.settle()
	late.core.ConnectionLost(3)
	late.settle()
	if late.has(pb.MsgPreVote) {
		t.Error("the second campaigns at once")
	}
	late.elections(false, true, true)
}

func TestAnElectionThatIsUnderWayIsNotStartedAgain(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.receive(2, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: new(uint64(2))})
	b.settle()
	b.core.ConnectionLost(2)
	b.settle()
	b.receive(3, &pb.Message{Type: pb.MsgPreVoteResp.Enum(), Term: new(uint64(3))})
	b.settle()
	if !b.has(pb.MsgVote) {
		t.Fatalf("no candidate: %v", b.sent)
	}
	b.sent = nil
	b.core.Tick()
	b.settle()
	if len(b.sent) > 0 {
		t.Errorf("the votes are under way and it sends %v", b.sent)
	}
}

// TestCommitsWaitForATransfer: it ends with one leader or the other.
func TestCommitsWaitForATransfer(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	b.says(2)
	b.core.Transfer(shard, id(2))
	b.settle()
	if !b.has(pb.MsgTimeoutNow) {
		t.Fatal("the successor is not asked to campaign")
	}
	gone := b.propose("a", 0)
	b.settle()
	b.want("meanwhile", gone, errPending)
	b.receive(2, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: new(b.last.Term + 1)})
	b.settle()
	b.want("when another leads", gone, core.ErrRefused)

	late := newBench(t, 1, 2, 3)
	late.lead()
	late.says(2)
	late.core.Transfer(shard, id(2))
	late.settle()
	kept := late.propose("a", 0)
	for range 5 { // half of an election timeout; the successor does not answer
		late.core.Tick()
		late.settle()
		late.answer()
	}
	late.answer()
	late.want("when the hand-over was given up", kept, nil)
}

// says lets a follower answer a heartbeat and report that it has applied what this
// node has.
func (b *bench) says(n core.NodeID) {
	b.Helper()
	b.reports(n, b.status().Applied.Index)
}

// reports is says with the index that it has applied.
func (b *bench) reports(n core.NodeID, applied uint64) {
	b.receive(n, &pb.Message{Type: pb.MsgHeartbeatResp.Enum(), Term: new(b.last.Term), Commit: new(applied)})
	b.settle()
}

func (b *bench) status() core.Status {
	b.Helper()
	st, ok := b.core.Status(shard)
	if !ok {
		b.Fatal("there is no replica")
	}
	return st
}

// TestNoTransferToAVoterThatDoesNotKnowThatItVotes: until it has applied the configuration
// raft ignores the request to campaign, and commits would wait for nothing.
func TestNoTransferToAVoterThatDoesNotKnowThatItVotes(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	before := b.status().Applied.Index
	changes := []*pb.ConfChangeSingle{{Type: pb.ConfChangeAddNode.Enum(), NodeId: new(uint64(id(4)))}}
	if err := b.core.ChangeMembers(shard, b.last.Term, changes); err != nil {
		t.Fatal(err)
	}
	b.settle()
	b.answer()
	b.settle()
	b.reports(2, b.status().Applied.Index)
	b.reports(4, before)
	if got := b.status().Successors; !slices.Equal(got, []core.ReplicaID{id(2)}) {
		t.Errorf("the lead can be handed to %v, want node 2", got)
	}
	b.sent = nil
	b.core.Transfer(shard, id(4))
	b.settle()
	if b.has(pb.MsgTimeoutNow) || b.status().Transferring {
		t.Error("a voter that does not know that it votes is asked to campaign")
	}
	b.reports(4, b.status().Applied.Index)
	b.core.Transfer(shard, id(4))
	b.settle()
	if !b.status().Transferring {
		t.Error("the lead is not handed to the one that knows")
	}
}

// TestNoTransferToASilentVoter: its node may have restarted and be mute, and
// commits would wait until the transfer is aborted.
func TestNoTransferToASilentVoter(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	b.says(2)
	for range 6 {
		b.core.Tick()
		b.settle()
		b.says(3)
	}
	b.sent = nil
	b.core.Transfer(shard, id(2))
	b.settle()
	if b.has(pb.MsgTimeoutNow) {
		t.Error("a silent voter is asked to campaign")
	}
	b.core.Transfer(shard, id(3))
	b.settle()
	if !b.status().Transferring {
		t.Error("the lead is not handed to a voter that is heard")
	}
}

// TestUnansweredPreVotesAreRepeated: the others may take the leader for alive a tick
// longer, and be refused themselves.
func TestUnansweredPreVotesAreRepeated(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	for !b.has(pb.MsgPreVote) {
		b.core.Tick()
		b.settle()
	}
	b.elections(true, true, true)
	b.receive(2, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: new(uint64(2))})
	b.elections(false, false)
}

// TestALoneNodeDoesNotAskForEver: after about an election timeout of
// asking in each tick it asks once in each.
func TestALoneNodeDoesNotAskForEver(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	for !b.has(pb.MsgPreVote) {
		b.core.Tick()
		b.settle()
	}
	asked := 0
	for range 110 {
		b.sent = nil
		b.core.Tick()
		b.settle()
		if b.has(pb.MsgPreVote) {
			asked++
		}
	}
	if asked < 15 || asked > 21 { // ten, and then every 10 to 19 ticks
		t.Errorf("asked in %d of 110 ticks", asked)
	}
}

// TestAGrantedPreVoteDelaysTheOwnCampaign: the other one has
// the time to ask for votes.
func TestAGrantedPreVoteDelaysTheOwnCampaign(t *testing.T) {
	campaigns := func(grants bool) (tick int) {
		b := newBench(t, 1, 2, 3)
		for range 9 {
			b.core.Tick()
		}
		b.settle()
		if grants {
			b.receive(2, &pb.Message{Type: pb.MsgPreVote.Enum(), Term: new(uint64(2)), Index: new(uint64(9)), LogTerm: new(uint64(1))})
			b.settle()
			if !b.has(pb.MsgPreVoteResp) {
				t.Fatal("no pre-vote granted")
			}
		}
		b.sent = nil
		for tick = 1; tick < 40 && !b.has(pb.MsgPreVote); tick++ {
			b.core.Tick()
			b.settle()
		}
		return tick
	}
	soonest, soonestGranted := 40, 40
	for range 100 { // the timeout is random
		soonest, soonestGranted = min(soonest, campaigns(false)), min(soonestGranted, campaigns(true))
	}
	if soonestGranted < soonest+2 {
		t.Errorf("campaigns after %d ticks at the soonest, and after %d when it granted a pre-vote", soonest, soonestGranted)
	}
}

// TestOneOfTwoCampaigns: when both of the remaining voters ask each other at the
// same time. The pre-vote may come together with the other's request.
func TestOneOfTwoCampaigns(t *testing.T) {
	for _, together := range []bool{false, true} {
		for _, other := range []core.NodeID{0, 2} { // this is node 1
			b := newBench(t, 1, other, 3)
			for range 20 {
				b.core.Tick()
			}
			b.settle()
			b.receive(other, &pb.Message{Type: pb.MsgPreVote.Enum(), Term: new(uint64(2)), Index: new(uint64(9)), LogTerm: new(uint64(1))})
			if !together {
				b.settle()
			}
			b.receive(other, &pb.Message{Type: pb.MsgPreVoteResp.Enum(), Term: new(uint64(2))})
			b.settle()
			if !b.has(pb.MsgPreVote) || !b.has(pb.MsgPreVoteResp) {
				t.Fatal("they do not ask each other")
			}
			if campaigns := b.has(pb.MsgVote); campaigns != (other > 1) {
				t.Errorf("with node %d, together %v: campaigns %v", other, together, campaigns)
			}
		}
	}
}

// TestPreVotesWaitForNoDisk: they promise nothing, and a candidate that gets them
// late may campaign together with another one.
func TestPreVotesWaitForNoDisk(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.settle()
	b.receive(2, &pb.Message{Type: pb.MsgPreVote.Enum(), Term: new(uint64(2)), Index: new(uint64(9)), LogTerm: new(uint64(1))})
	b.round()
	if !b.has(pb.MsgPreVoteResp) {
		t.Error("it waits")
	}
}

// TestLearningDoesNotEndACandidacy: what the voter that makes it leader has
// applied must not end its candidacy first.
func TestLearningDoesNotEndACandidacy(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.hold() // an entry that it does not know to be committed
	b.receive(2, &pb.Message{Type: pb.MsgTimeoutNow.Enum(), Term: new(uint64(2))})
	b.settle()
	told := func(m *pb.Message) *pb.Message {
		m.Commit, m.RejectHint = new(uint64(2)), new(uint64(2))
		return m
	}
	b.receive(3, told(&pb.Message{Type: pb.MsgPreVote.Enum(), Term: new(uint64(3)), Index: new(uint64(2)), LogTerm: new(uint64(2))}))
	b.receive(3, told(&pb.Message{Type: pb.MsgVoteResp.Enum(), Term: new(uint64(3))}))
	b.settle()
	if b.last.Leader != id(1) {
		t.Errorf("it does not lead: %+v", b.last)
	}

	undecided := newBench(t, 1, 2, 3, 4, 5)
	undecided.hold()
	undecided.receive(2, &pb.Message{Type: pb.MsgTimeoutNow.Enum(), Term: new(uint64(2))})
	undecided.settle()
	undecided.sent = nil
	undecided.receive(3, told(&pb.Message{Type: pb.MsgVoteResp.Enum(), Term: new(uint64(3))}))
	undecided.settle()
	undecided.applied(2)
	if !undecided.has(pb.MsgPreVote) {
		t.Error("it does not campaign again")
	}
}

// request is the request of a replica that has applied up to told in that term and whose log
// ends at the given index.
func request(kind pb.MessageType, last, told uint64) *pb.Message {
	return &pb.Message{
		Type: kind.Enum(), Term: new(uint64(3)), Index: new(last), LogTerm: new(uint64(2)),
		Commit: new(told), RejectHint: new(told),
	}
}

// abandoned is a replica with an entry that it does not know to be committed. Its
// leader is gone, and its own timeout is not over.
func abandoned(t *testing.T) *bench {
	for {
		b := newBench(t, 1, 2, 3)
		b.hold()
		for range 10 {
			b.core.Tick()
		}
		b.settle()
		if !b.has(pb.MsgPreVote) {
			return b
		}
	}
}

// TestAVoterIsNotKeptFromItsVote: what the candidate has applied must not count
// as a sign of life from the leader.
func TestAVoterIsNotKeptFromItsVote(t *testing.T) {
	b := abandoned(t)
	b.receive(3, request(pb.MsgPreVote, 2, 2))
	b.settle()
	if !b.has(pb.MsgPreVoteResp) {
		t.Fatal("no pre-vote")
	}
	b.receive(3, request(pb.MsgVote, 2, 2))
	b.settle()
	if !b.has(pb.MsgVoteResp) {
		t.Error("no vote after it")
	}
}

// TestTheLongerLogCampaigns at once: the other candidate cannot be elected.
func TestTheLongerLogCampaigns(t *testing.T) {
	for _, kind := range []pb.MessageType{pb.MsgPreVote, pb.MsgVote} {
		for _, told := range []uint64{1, 2} { // nothing new, and that the entry is committed
			campaigns := func(last uint64) bool {
				b := abandoned(t)
				b.receive(3, request(kind, last, told))
				b.settle()
				return b.has(pb.MsgPreVote)
			}
			if !campaigns(1) {
				t.Errorf("%v: the replica with the longer log waits", kind)
			}
			if campaigns(2) {
				t.Errorf("%v: a replica that votes for the other one campaigns", kind)
			}
		}
	}
}
