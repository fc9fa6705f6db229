package core_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/replica/core"
	"ssod/cluster/replica/model"
)

// read queues a barrier and returns where its answer will be.
func (b *bench) read() *error {
	err := errPending
	b.core.Barrier(&core.Barrier{Shard: b.shard, Term: b.last.Term, Done: func(e error) { err = e }})
	return &err
}

// question does rounds until one asks node 2, and returns what it asks.
func (b *bench) question() core.Fence {
	b.Helper()
	b.asked = nil
	b.settle()
	if len(b.asked) != 1 || b.asked[0].Answer {
		b.Fatalf("asked %+v, want one question", b.asked)
	}
	return b.asked[0]
}

// TestBarriersShareQuestions: one is under way at a time, and what comes meanwhile
// shares the next, in each round.
func TestBarriersShareQuestions(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	first := b.read()
	q := b.question()
	if diff := cmp.Diff([]core.Followed{{Shard: shard, Term: b.last.Term}}, q.Terms); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	var later []*error
	for range 10 {
		later = append(later, b.read())
		b.settle()
	}
	if len(b.asked) != 1 {
		t.Errorf("%d questions are under way, want one", len(b.asked))
	}
	b.confirm(q)
	b.want("what the question was for", first, nil)
	b.want("what came after it", later[0], errPending)
	next := b.question()
	if next.Number != q.Number+1 {
		t.Errorf("question %d after %d", next.Number, q.Number)
	}
	b.confirm(next)
	for _, read := range later {
		b.want("what shares the next", read, nil)
	}
}

// TestALateAnswerIsNoneToALaterQuestion, nor is one twice, nor one to a question
// that nobody asked.
func TestALateAnswerIsNoneToALaterQuestion(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	first := b.read()
	q := b.question()
	b.confirm(q)
	b.want("the first", first, nil)
	read := b.read()
	next := b.question()
	b.confirm(q)
	b.want("on an answer to the question before", read, errPending)
	future := next
	future.Number++
	b.confirm(future)
	b.want("on an answer to the question after", read, errPending)
	b.confirm(next)
	b.want("on its own", read, nil)
}

// TestWhoseAnswersCount: those of other voters that follow in the term, by the ids
// that they vote under.
func TestWhoseAnswersCount(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	read := b.read()
	q := b.question()
	answer := func(from core.NodeID, term uint64, by core.ReplicaID) {
		b.core.ReceiveFence(from, core.Fence{Answer: true, Number: q.Number, Terms: []core.Followed{{Shard: shard, Term: term, Replica: by}}})
	}
	term := b.last.Term
	answer(2, term-1, id(2))
	answer(2, term+1, id(2))
	answer(2, term, id(2)+1) // another replica of the node
	answer(4, term, id(4))   // no voter
	answer(1, term, id(1))
	b.core.ReceiveFence(2, core.Fence{Answer: true, Number: q.Number, Terms: []core.Followed{{Shard: shard + 1, Term: term, Replica: id(2)}}})
	b.want("on answers that do not count", read, errPending)
	answer(3, term, id(3))
	b.want("on one that does", read, nil)
}

// TestAJointConfigurationNeedsBothSides.
func TestAJointConfigurationNeedsBothSides(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	waiting := b.read()
	old := b.question()
	var changes []*pb.ConfChangeSingle
	for n, how := range map[core.NodeID]pb.ConfChangeType{2: pb.ConfChangeRemoveNode, 3: pb.ConfChangeRemoveNode, 4: pb.ConfChangeAddNode, 5: pb.ConfChangeAddNode} {
		changes = append(changes, &pb.ConfChangeSingle{Type: how.Enum(), NodeId: new(uint64(id(n)))})
	}
	slices.SortFunc(changes, func(a, b *pb.ConfChangeSingle) int { return int(a.GetNodeId()>>32) - int(b.GetNodeId()>>32) })
	if err := b.core.ChangeMembers(shard, b.last.Term, changes); err != nil {
		t.Fatal(err)
	}
	b.settle()
	st, _ := b.core.Status(shard)
	b.receive(2, &pb.Message{Type: pb.MsgAppResp.Enum(), Term: new(b.last.Term), Index: new(st.Last)})
	b.settle()
	if st, _ = b.core.Status(shard); len(st.Applied.Conf.GetVotersOutgoing()) != 3 {
		t.Fatalf("not in a joint configuration: %+v", st)
	}
	b.confirm(old)
	b.want("on an answer from before the change", waiting, errPending)
	for range 3 {
		b.core.Tick()
	}
	q := b.question()
	answer := func(n core.NodeID) {
		f := core.Fence{Answer: true, Number: q.Number, Terms: slices.Clone(q.Terms)}
		f.Terms[0].Replica = id(n)
		b.core.ReceiveFence(n, f)
	}
	answer(4)
	answer(5)
	b.want("on those of the new voters", waiting, errPending)
	answer(3)
	b.want("on those of both sides", waiting, nil)
}

// TestWhoAnswersAFence: a replica in the term that is asked about, unless it leads
// or is being replaced.
func TestWhoAnswersAFence(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.receive(2, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: new(uint64(5))})
	b.settle()
	says := func(what string, terms []core.Followed, want ...core.Followed) {
		t.Helper()
		b.core.ReceiveFence(2, core.Fence{Number: 7, Terms: terms})
		b.asked = nil
		b.settle()
		var got []core.Followed
		for _, f := range b.asked {
			if !f.Answer || f.Number != 7 {
				t.Errorf("%s: got %+v, want an answer to question 7", what, f)
			}
			got = append(got, f.Terms...)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	mine := core.Followed{Shard: shard, Term: 5, Replica: id(1)}
	says("in the term", []core.Followed{{Shard: 9, Term: 5}, {Shard: shard, Term: 5}}, mine)
	says("in a later term", []core.Followed{{Shard: shard, Term: 4}})
	says("in an earlier term", []core.Followed{{Shard: shard, Term: 6}})
	if got, want := b.core.FenceCounts(), (core.FenceCounts{Refused: 3}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}

	// A vote in a later term is enough, before anybody knows how it ends.
	b.receive(3, &pb.Message{Type: pb.MsgTimeoutNow.Enum(), Term: new(uint64(5))})
	says("as a candidate of a later term", []core.Followed{{Shard: shard, Term: 5}})

	lead := newBench(t, 1, 2, 3)
	lead.lead()
	b = lead
	says("as the leader", []core.Followed{{Shard: shard, Term: lead.last.Term}})
}

// snapshotOf is what node 2 sends node 1 of three with a snapshot, in its term.
func snapshotOf(index, term uint64) *pb.Message {
	return &pb.Message{
		Type: pb.MsgSnap.Enum(), From: new(uint64(id(2))), To: new(uint64(id(1))), Term: new(term),
		Snapshot: &pb.Snapshot{Data: []byte("file"), Metadata: &pb.SnapshotMetadata{
			Index: new(index), Term: new(term), ConfState: &pb.ConfState{Voters: []uint64{uint64(id(1)), uint64(id(2)), uint64(id(3))}},
		}},
	}
}

// TestAFrozenReplicaAnswersNoFence: it may be about to get a later term.
func TestAFrozenReplicaAnswersNoFence(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.receive(2, &pb.Message{Type: pb.MsgHeartbeat.Enum(), Term: new(uint64(5))})
	b.settle()
	if !b.core.ReceiveSnapshot(2, core.Envelope{Shard: shard, Message: snapshotOf(50, 5)}) {
		t.Fatal("the snapshot is not taken")
	}
	b.settle()
	b.asked = nil
	b.core.ReceiveFence(2, core.Fence{Number: 1, Terms: []core.Followed{{Shard: shard, Term: 5}}})
	b.settle()
	for _, f := range b.asked {
		if len(f.Terms) > 0 {
			t.Errorf("it answers %+v", f)
		}
	}
}

// TestAQuestionThatIsLostIsAskedAgain, and nobody waits for a node that has not answered.
func TestAQuestionThatIsLostIsAskedAgain(t *testing.T) {
	b := newBench(t, 1, 2, 3)
	b.lead()
	read := b.read()
	lost := b.question()
	b.core.Tick()
	b.core.Tick()
	q := b.question()
	if q.Number == lost.Number {
		t.Errorf("question %d is asked twice", q.Number)
	}
	b.confirm(q)
	b.want("on the second", read, nil)
	want := core.FenceCounts{Asked: 2, Barriers: 1, Late: 2} // of nodes 2 and 3
	if got := b.core.FenceCounts(); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
}

// TestWhoLosesTheLeadHoldsNobodyUp: a question that nobody waits for any more is
// over, and what waits is asked at once.
func TestWhoLosesTheLeadHoldsNobodyUp(t *testing.T) {
	m := newMany(t, 2)
	read := func(s core.ShardID) *error {
		err := errPending
		m.core.Barrier(&core.Barrier{Shard: s, Term: m.terms[s], Done: func(e error) { err = e }})
		return &err
	}
	lost := read(0)
	m.core.Round() // its question gets lost
	m.core.Receive(2, []core.Envelope{{Shard: 0, Message: &pb.Message{
		Type: pb.MsgHeartbeat.Enum(), From: new(uint64(id(2))), To: new(uint64(id(1))), Term: new(m.terms[0] + 1),
	}}})
	other := read(1)
	m.settle()
	if *lost != core.ErrLost || *other != nil {
		t.Errorf("of the shard that is lost: %v, of the other one: %v; want ErrLost and an answer", *lost, *other)
	}
}

// TestASoleVoterAsksNobody.
func TestASoleVoterAsksNobody(t *testing.T) {
	b := newBench(t, 1)
	b.settle()
	read := b.read()
	b.settle()
	b.want("barrier", read, nil)
	if len(b.asked) > 0 {
		t.Errorf("asked %v", b.asked)
	}
}

func TestFencesInFrames(t *testing.T) {
	fences := []core.Fence{
		{Number: 300, Terms: []core.Followed{{Shard: 0, Term: 1}, {Shard: 65535, Term: 1 << 40}}},
		{Answer: true, Number: 1, Terms: []core.Followed{{Shard: 3, Term: 7, Replica: id(2)}}},
		{Answer: true, Number: 2, Terms: []core.Followed{}},
	}
	frame := core.AppendFences(nil, fences)
	if !core.HasFences(frame) {
		t.Error("it is not known for what it is")
	}
	got, err := core.DecodeFences(2, frame)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fences, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for n := 1; n < len(frame); n++ {
		if fs, err := core.DecodeFences(2, frame[:n]); err == nil && len(fs) == len(fences) {
			t.Errorf("%d of %d bytes are taken for all", n, len(frame))
		} else if err != nil && !errors.Is(err, core.ErrEntryFormat) {
			t.Errorf("%d bytes: got %v, want ErrEntryFormat", n, err)
		}
	}
	for what, frame := range map[string][]byte{
		"an unknown kind": {0x81, 2, 1, 0}, "a shard that is too large": {0x81, 0, 1, 1, 0x80, 0x80, 4, 1}, "nothing": {}, "messages": {1},
	} {
		if _, err := core.DecodeFences(2, frame); !errors.Is(err, core.ErrEntryFormat) {
			t.Errorf("%s: got %v, want ErrEntryFormat", what, err)
		}
	}
	if _, err := core.DecodeFrame(frame); err == nil {
		t.Error("a frame of messages it is not")
	}
}

func FuzzDecodeFences(f *testing.F) {
	f.Add(core.AppendFences(nil, []core.Fence{{Number: 1, Terms: []core.Followed{{Shard: 1, Term: 2}}}}))
	f.Add(core.AppendFences(nil, []core.Fence{{Answer: true, Number: 9, Terms: []core.Followed{{Shard: 1, Term: 2, Replica: id(2)}}}}))
	f.Fuzz(func(t *testing.T, frame []byte) {
		fs, err := core.DecodeFences(2, frame)
		if err == nil && !slices.Equal(core.AppendFences(nil, fs), frame) {
			t.Errorf("%x is taken for %+v", frame, fs)
		}
	})
}

// many is node 1, which leads many shards of nodes 1 to 3, and node 2, which
// follows.
type many struct {
	testing.TB
	core      *core.Core
	store     *model.Store
	terms     map[core.ShardID]uint64
	questions int // to node 2
}

func newMany(tb testing.TB, shards int) *many {
	m := &many{TB: tb, store: model.New(0), terms: map[core.ShardID]uint64{}}
	conf := &pb.ConfState{Voters: []uint64{uint64(id(1)), uint64(id(2)), uint64(id(3))}}
	var rs []core.Replica
	for s := range core.ShardID(shards) {
		r, err := m.store.Create(s, id(1), conf)
		if err != nil {
			tb.Fatal(err)
		}
		rs = append(rs, r)
	}
	var err error
	if m.core, err = core.New(core.Config{Node: 1, Store: m.store, Now: time.Now}, rs); err != nil {
		tb.Fatal(err)
	}
	for range 20 {
		m.core.Tick()
		m.settle()
	}
	if len(m.terms) != shards {
		tb.Fatalf("node 1 leads %d of %d shards", len(m.terms), shards)
	}
	return m
}

// settle does rounds, and what node 2 does for them, until nothing is left.
func (m *many) settle() {
	for m.core.Pending() {
		out := m.core.Round()
		for _, l := range out.Leaderships {
			if l.Open {
				m.terms[l.Shard] = l.Term
			}
		}
		messages := slices.Clone(out.Messages[2])
		if out.Append != nil {
			if err := m.store.Append(out.Append.Writes, true); err != nil {
				m.Fatal(err)
			}
			m.core.AppendDone(out.Append)
		}
		if out.Apply != nil {
			if err := out.Apply.Run(m.store); err != nil {
				m.Fatal(err)
			}
			m.core.ApplyDone(out.Apply)
		}
		for _, f := range out.Fences[2] {
			m.questions++
			f.Answer = true
			for i := range f.Terms {
				f.Terms[i].Replica = id(2)
			}
			m.core.ReceiveFence(2, f)
		}
		for _, e := range messages {
			m.answer(e)
		}
	}
}

func (m *many) answer(e core.Envelope) {
	answers := map[pb.MessageType]pb.MessageType{
		pb.MsgPreVote: pb.MsgPreVoteResp, pb.MsgVote: pb.MsgVoteResp, pb.MsgApp: pb.MsgAppResp, pb.MsgHeartbeat: pb.MsgHeartbeatResp,
	}
	as, ok := answers[e.Message.GetType()]
	if !ok {
		return
	}
	a := &pb.Message{
		Type: as.Enum(), From: new(uint64(id(2))), To: new(uint64(id(1))), Term: e.Message.Term,
		Index: new(e.Message.GetIndex() + uint64(len(e.Message.GetEntries()))),
	}
	m.core.Receive(2, []core.Envelope{{Shard: e.Shard, Message: a}})
}

// readAll has a barrier of each shard answered.
func (m *many) readAll() {
	answered := 0
	for s, term := range m.terms {
		m.core.Barrier(&core.Barrier{Shard: s, Term: term, Done: func(err error) {
			if err != nil {
				m.Errorf("barrier of shard %d: %v", s, err)
			}
			answered++
		}})
	}
	m.settle()
	if answered != len(m.terms) {
		m.Errorf("%d of %d barriers are answered", answered, len(m.terms))
	}
}

// TestAllShardsShareAQuestion: 32 barriers of 32 shards are one question to each
// other node.
func TestAllShardsShareAQuestion(t *testing.T) {
	m := newMany(t, 32)
	for range 10 {
		m.readAll()
	}
	t.Logf("%d questions to each node for %d barriers", m.questions, 10*32)
	if m.questions != 10 {
		t.Errorf("%d questions for 10 times 32 barriers, want 10", m.questions)
	}
}

// BenchmarkBarriers is what a leader pays for a question about many shards that
// one of two others answers, per barrier.
func BenchmarkBarriers(b *testing.B) {
	m := newMany(b, 32)
	b.ReportAllocs()
	for b.Loop() {
		m.readAll()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*32), "ns/barrier")
}
