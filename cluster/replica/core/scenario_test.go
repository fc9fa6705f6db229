package core_test

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/cockroachdb/datadriven"
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/replica/core"
	"ssod/cluster/replica/model"
)

// TestScenarios plays the files of testdata, which say what happens and what comes
// of it. With -rewrite they say what came of it this time.
//
//	members 1 2 3             nodes with a replica of shard 1 each, all of them voters
//	empty node=4              a node with an empty replica
//	campaign node=1           ticks until it campaigns
//	tick node=1 [n=5]         time passes, for one node
//	commit node=1 name ...    commits to the entities of these names
//	read node=1 name ...      barriers
//	disconnect node=1 of=2    a node notices that the connection to another is lost
//	deaf node=1, hears node=1 what raft says to a node gets lost; and no more
//	change node=1 add=(4) remove=(2)
//	flush node=1              it writes what is applied
//	truncate node=1 [wait]      of the log up to there, once live followers have it
//	crash node=1 [keep=2]     and starts again, with the first unsynced writes
//	stall node=1              its next snapshot is not installed to the end
//	disks                     what every node has of the log and of the state
//	deliver [from=1] [to=2] [only=fences]   what is under way, and what comes of it
//	once ...                  what is under way, and nothing that comes of it
//	lose ...                  what is under way is lost
//	answers                   how commits and reads have ended
//	leads                     who leads
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			cryptotest.SetGlobalRandom(t, 1) // raft draws its timeouts from it
			var s *scenario
			datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
				if d.Cmd == "members" {
					s = newScenario(t, d)
				}
				s.cmd = d
				s.said.Reset()
				s.play()
				return s.said.String()
			})
		})
	}
}

// scenario is some nodes, what is under way between them, and what was asked.
type scenario struct {
	*testing.T
	cmd      *datadriven.TestData
	nodes    []*player
	underWay []letter
	asked    []*question
	deaf     map[core.NodeID]bool
	said     strings.Builder
}

type player struct {
	id     core.NodeID
	core   *core.Core
	store  *model.Store
	leads  core.Leadership
	stalls bool // does not end an installation
}

// letter is a message, or a fence if that has a number. That of a snapshot comes
// after its files.
type letter struct {
	from, to core.NodeID
	message  *pb.Message
	image    *model.Image
	fence    core.Fence
}

// question is a commit or a read.
type question struct {
	what string
	err  error
}

func newScenario(t *testing.T, d *datadriven.TestData) *scenario {
	s := &scenario{T: t, cmd: d, deaf: map[core.NodeID]bool{}}
	conf := &pb.ConfState{}
	for _, a := range d.CmdArgs {
		conf.Voters = append(conf.Voters, uint64(id(nodeID(t, a.Key))))
	}
	for _, a := range d.CmdArgs {
		s.add(nodeID(t, a.Key), conf)
	}
	return s
}

func nodeID(t *testing.T, v string) (n core.NodeID) {
	t.Helper()
	if _, err := fmt.Sscan(v, &n); err != nil {
		t.Fatalf("node %q: %v", v, err)
	}
	return n
}

func (s *scenario) add(n core.NodeID, conf *pb.ConfState) {
	p := &player{id: n, store: model.New(0)}
	if _, err := p.store.Create(shard, id(n), conf); err != nil {
		s.Fatal(err)
	}
	s.nodes = append(s.nodes, p)
	s.start(p)
}

// start starts a node with what is on its disk.
func (s *scenario) start(p *player) {
	rs, err := p.store.Replicas()
	if err != nil {
		s.Fatal(err)
	}
	noon := func() time.Time { return time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC) }
	if p.core, err = core.New(core.Config{Node: p.id, Store: p.store, Now: noon}, rs); err != nil {
		s.Fatal(err)
	}
	p.leads = core.Leadership{}
	s.rounds(p)
}

// node is the one that a command is about.
func (s *scenario) node() *player {
	var n int
	s.cmd.ScanArgs(s.T, "node", &n)
	return s.at(core.NodeID(n))
}

// at returns a node, nil if there is none of that number.
func (s *scenario) at(n core.NodeID) *player {
	for _, p := range s.nodes {
		if p.id == n {
			return p
		}
	}
	return nil
}

func (s *scenario) play() {
	switch s.cmd.Cmd {
	case "members":
	case "empty":
		var n int
		s.cmd.ScanArgs(s.T, "node", &n)
		s.add(core.NodeID(n), nil)
	case "campaign":
		p := s.node()
		for n := len(s.underWay); len(s.underWay) == n; {
			p.core.Tick()
			s.rounds(p)
		}
	case "tick":
		p, n := s.node(), 1
		s.cmd.MaybeScanArgs(s.T, "n", &n)
		for range n {
			p.core.Tick()
			s.rounds(p)
		}
	case "commit", "read":
		s.ask(s.node())
	case "change":
		s.change(s.node())
	case "disconnect":
		var of int
		s.cmd.ScanArgs(s.T, "of", &of)
		s.node().core.ConnectionLost(core.NodeID(of))
		s.rounds(s.node())
	case "deaf", "hears":
		s.deaf[s.node().id] = s.cmd.Cmd == "deaf"
	case "flush":
		p := s.node()
		p.store.Flush(shard)
		p.core.Flushed(shard, p.store.Flushed(shard))
		s.rounds(p)
	case "truncate":
		p := s.node()
		if !p.core.Truncate(shard, p.store.Flushed(shard), s.cmd.HasArg("wait")) {
			fmt.Fprintln(&s.said, "not now")
		}
		s.rounds(p)
	case "crash":
		p, keep := s.node(), 0
		s.cmd.MaybeScanArgs(s.T, "keep", &keep)
		p.store.Crash(keep)
		p.stalls = false
		s.start(p)
	case "stall":
		s.node().stalls = true
	case "disks":
		s.disks()
	case "deliver":
		s.deliver(true)
	case "once":
		s.deliver(false)
	case "lose":
		for _, l := range s.take() {
			fmt.Fprintln(&s.said, "lost:", l)
			s.snapshotSent(l, false)
		}
	case "answers":
		for _, q := range s.asked {
			fmt.Fprintf(&s.said, "%s: %v\n", q.what, q.err)
		}
	case "leads":
		s.leads()
	default:
		s.Fatalf("%s: no such command", s.cmd.Pos)
	}
}

// ask proposes commits or begins to read.
func (s *scenario) ask(p *player) {
	for _, a := range s.cmd.CmdArgs {
		if len(a.Vals) > 0 {
			continue // the node
		}
		q := &question{what: s.cmd.Cmd + " " + a.Key, err: errPending}
		s.asked = append(s.asked, q)
		done := func(err error) {
			if q.err = err; err == nil {
				q.err = errDone
			}
		}
		if s.cmd.Cmd == "commit" {
			p.core.Propose(&core.Proposal{Shard: shard, Term: p.leads.Term, Data: encoded(a.Key, 0), Done: done})
		} else {
			p.core.Barrier(&core.Barrier{Shard: shard, Term: p.leads.Term, Done: done})
		}
	}
	s.rounds(p)
}

var errDone = errors.New("done")

func (s *scenario) change(p *player) {
	var changes []*pb.ConfChangeSingle
	for _, how := range []struct {
		key string
		as  pb.ConfChangeType
	}{{"remove", pb.ConfChangeRemoveNode}, {"add", pb.ConfChangeAddNode}} {
		for _, a := range s.cmd.CmdArgs {
			if a.Key != how.key {
				continue
			}
			for _, v := range a.Vals {
				changes = append(changes, &pb.ConfChangeSingle{Type: how.as.Enum(), NodeId: new(uint64(id(nodeID(s.T, v))))})
			}
		}
	}
	if err := p.core.ChangeMembers(shard, p.leads.Term, changes); err != nil {
		fmt.Fprintln(&s.said, err)
	}
	s.rounds(p)
}

// rounds lets a node do all it can. Its disk is quick.
func (s *scenario) rounds(p *player) {
	for p.core.Pending() {
		out := p.core.Round()
		for _, l := range out.Leaderships {
			p.leads = l
		}
		for n := range core.NodeID(10) {
			for _, e := range out.Messages[n] {
				s.underWay = append(s.underWay, letter{from: p.id, to: n, message: e.Message})
			}
			for _, f := range out.Fences[n] {
				s.underWay = append(s.underWay, letter{from: p.id, to: n, fence: f})
			}
		}
		if out.Append != nil {
			if err := p.store.Append(out.Append.Writes, out.Append.Sync); err != nil {
				s.Fatal(err)
			}
			p.core.AppendDone(out.Append)
		}
		if out.Apply != nil {
			if err := out.Apply.Run(p.store); err != nil {
				s.Fatal(err)
			}
			p.core.ApplyDone(out.Apply)
		}
		for _, send := range out.Snapshots {
			s.export(p, send)
		}
		for _, in := range out.Installs {
			s.install(p, in)
		}
	}
}

func (s *scenario) export(p *player, send core.SnapshotSend) {
	image, err := p.store.Export(shard)
	if err != nil {
		s.Fatal(err)
	}
	send.Fill(image.Applied, fmt.Sprint("from-", p.id))
	s.underWay = append(s.underWay, letter{from: p.id, to: send.To.Node(), message: send.Message, image: &image})
}

func (s *scenario) install(p *player, j *core.InstallJob) {
	if err := p.store.BeginInstall(j.Install); err != nil {
		s.Fatal(err)
	}
	if p.stalls {
		return
	}
	a, err := p.store.FinishInstall(shard)
	if err != nil {
		s.Fatal(err)
	}
	p.core.InstallDone(j, a)
}

// snapshotSent tells the sender of a snapshot what has become of it.
func (s *scenario) snapshotSent(l letter, ok bool) {
	if l.image != nil {
		p := s.at(l.from)
		p.core.SnapshotSent(shard, id(l.to), ok)
		s.rounds(p)
	}
}

// deliver delivers what the command means, and what comes of it if that is wanted.
func (s *scenario) deliver(all bool) {
	for ls := s.take(); len(ls) > 0; ls = s.take() {
		for _, l := range ls {
			if s.deaf[l.to] && l.message != nil {
				fmt.Fprintln(&s.said, "lost:", l)
				continue
			}
			fmt.Fprintln(&s.said, l)
			p := s.at(l.to)
			if p == nil {
				continue
			}
			switch {
			case l.image != nil:
				p.store.Receive(string(l.message.GetSnapshot().GetData()), *l.image)
				s.snapshotSent(l, p.core.ReceiveSnapshot(l.from, core.Envelope{Shard: shard, Message: l.message}))
			case l.message != nil:
				p.core.Receive(l.from, []core.Envelope{{Shard: shard, Message: l.message}})
			default:
				p.core.ReceiveFence(l.from, l.fence)
			}
			s.rounds(p)
		}
		if !all {
			return
		}
	}
}

// take removes what is under way and meant by the command.
func (s *scenario) take() (ls []letter) {
	var from, to int
	var only string
	s.cmd.MaybeScanArgs(s.T, "from", &from)
	s.cmd.MaybeScanArgs(s.T, "to", &to)
	s.cmd.MaybeScanArgs(s.T, "only", &only)
	s.underWay = slices.DeleteFunc(s.underWay, func(l letter) bool {
		meant := (from == 0 || l.from == core.NodeID(from)) && (to == 0 || l.to == core.NodeID(to)) &&
			(only == "" || only == "fences" == (l.message == nil))
		if meant {
			ls = append(ls, l)
		}
		return meant
	})
	return ls
}

func (s *scenario) leads() {
	for _, p := range s.nodes {
		switch l := p.leads; {
		case l.Open:
			fmt.Fprintf(&s.said, "node %d leads in term %d\n", p.id, l.Term)
		case l.Leader.Node() == p.id:
			fmt.Fprintf(&s.said, "node %d leads in term %d and has no handle yet\n", p.id, l.Term)
		case l.Leader != 0:
			fmt.Fprintf(&s.said, "node %d follows node %d in term %d\n", p.id, l.Leader.Node(), l.Term)
		default:
			fmt.Fprintf(&s.said, "node %d knows no leader\n", p.id)
		}
	}
}

// disks says which entries are in the logs, up to where the states on disk are and
// up to where those in memory.
func (s *scenario) disks() {
	for _, p := range s.nodes {
		var log []string
		if err := p.store.Scan(shard, func(at core.Position, _ int) { log = append(log, fmt.Sprint(at.Index)) }); err != nil {
			s.Fatal(err)
		}
		fmt.Fprintf(&s.said, "node %d: log %s, flushed %d, applied %d\n",
			p.id, cmp.Or(strings.Join(log, " "), "empty"), p.store.Flushed(shard), p.store.Applied(shard).Index)
	}
}

// String has sender, receiver and contents.
func (l letter) String() string {
	route := fmt.Sprintf("%d to %d: ", l.from, l.to)
	if l.message == nil {
		kind := "question"
		if l.fence.Answer {
			kind = "answer"
		}
		route += fmt.Sprintf("%s %d", kind, l.fence.Number)
		for _, t := range l.fence.Terms {
			route += fmt.Sprintf(", term %d", t.Term)
		}
		return route
	}
	m := l.message
	route += fmt.Sprintf("%s, term %d", strings.TrimPrefix(m.GetType().String(), "Msg"), m.GetTerm())
	for _, e := range m.GetEntries() {
		route += fmt.Sprintf(", entry %d of term %d", e.GetIndex(), e.GetTerm())
	}
	switch {
	case m.GetReject():
		route += ", refused"
	case m.GetType() == pb.MsgAppResp:
		route += fmt.Sprintf(", has %d", m.GetIndex())
	case m.GetType() == pb.MsgSnap:
		route += fmt.Sprintf(", state at %d", m.GetSnapshot().GetMetadata().GetIndex())
	case m.GetType() == pb.MsgApp:
		route += fmt.Sprintf(", committed %d", m.GetCommit())
	}
	return route
}
