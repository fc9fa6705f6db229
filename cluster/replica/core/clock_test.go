package core

import (
	"testing"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/persistence"
)

const wall = 1_700_000_000_000 // ms, by right clocks

// voter is a group whose voters are nodes 1 to n, seen by node 1.
func voter(n int, clocks map[NodeID]time.Duration) (*Core, *group) {
	at := func(d time.Duration) time.Time { return time.UnixMilli(wall).Add(d) }
	c := &Core{cfg: Config{
		Node: 1, Now: func() time.Time { return at(clocks[1]) },
		Measured: func(id NodeID) (time.Time, bool) { d, ok := clocks[id]; return at(d), ok },
	}}
	conf := &pb.ConfState{}
	for i := range n {
		conf.Voters = append(conf.Voters, uint64(persistence.NewReplicaID(NodeID(i+1), 1)))
	}
	return c, &group{id: persistence.NewReplicaID(1, 1), applied: Applied{Conf: conf, Time: wall - 1000}}
}

// A proposer may go by its clock as far as a majority of the voters' clocks allow:
// of two that are left the earlier one counts.
func TestTheClocksOfAMajorityAllowATime(t *testing.T) {
	const far = 410 * 24 * time.Hour
	tests := []struct {
		name   string
		voters int
		clocks map[NodeID]time.Duration
		want   bool
	}{
		{"all agree", 3, map[NodeID]time.Duration{1: 0, 2: 0, 3: 0}, true},
		{"ahead of both", 3, map[NodeID]time.Duration{1: far, 2: 0, 3: 0}, false},
		{"ahead within the tolerance", 3, map[NodeID]time.Duration{1: Tolerance, 2: 0, 3: 0}, true},
		{"one agrees", 3, map[NodeID]time.Duration{1: far, 2: far, 3: 0}, true},
		{"behind", 3, map[NodeID]time.Duration{1: -500 * time.Millisecond, 2: far, 3: far}, true},
		{"two are left and differ", 3, map[NodeID]time.Duration{1: far, 2: 0}, false},
		{"two are left and this one is behind", 3, map[NodeID]time.Duration{1: 0, 2: far}, true},
		{"nobody is known", 3, map[NodeID]time.Duration{1: 0}, false},
		{"two voters", 2, map[NodeID]time.Duration{1: far, 2: 0}, false},
		{"a sole voter", 1, map[NodeID]time.Duration{1: far}, true},
		{"two of five agree", 5, map[NodeID]time.Duration{1: far, 2: far, 3: 0, 4: 0, 5: 0}, false},
		{"three of five agree", 5, map[NodeID]time.Duration{1: far, 2: far, 3: far, 4: 0, 5: 0}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, g := voter(tt.voters, tt.clocks)
			if got := c.timely(g); got != tt.want {
				t.Errorf("timely: got %v, want %v", got, tt.want)
			}
			g.applied.Time = uint64(wall + 2*far.Milliseconds())
			if !c.timely(g) {
				t.Error("a clock that passes nothing is refused")
			}
		})
	}
}

// On either side of a change of members a majority must allow the time.
func TestBothSidesOfAChangeAllowATime(t *testing.T) {
	c, g := voter(1, map[NodeID]time.Duration{1: time.Hour, 2: 0, 3: 0})
	conf := g.applied.Conf
	for id := NodeID(1); id <= 3; id++ {
		conf.VotersOutgoing = append(conf.VotersOutgoing, uint64(persistence.NewReplicaID(id, 1)))
	}
	if c.timely(g) {
		t.Error("the three that are to go do not allow it")
	}
}

// A follower ignores entries only if nothing speaks for their time.
func TestAFollowerIgnoresATimeThatNothingSpeaksFor(t *testing.T) {
	const far = uint64(410 * 24 * 3_600_000)
	entry := func(index, now uint64) *pb.Entry {
		return &pb.Entry{Index: new(index), Term: new(uint64(1)), Data: packEntry(nil, entryVersion, 1, now, nil)}
	}
	reset := &pb.Entry{Index: new(uint64(12)), Term: new(uint64(1)), Data: packReset(1, wall)}
	tests := []struct {
		name    string
		newest  uint64
		commit  uint64
		entries []*pb.Entry
		want    bool
	}{
		{"a right time", wall, 10, []*pb.Entry{entry(11, wall+1)}, true},
		{"far ahead", wall, 10, []*pb.Entry{entry(11, wall+1), entry(12, wall+far)}, false},
		{"far ahead and committed", wall, 11, []*pb.Entry{entry(11, wall+far)}, true},
		{"behind one that is committed", wall, 11, []*pb.Entry{entry(11, wall+far), entry(12, wall+far)}, true},
		{"not later than its own", wall + far, 10, []*pb.Entry{entry(11, wall+far)}, true},
		{"left by an earlier leader", wall, 10, []*pb.Entry{{Index: new(uint64(11)), Term: new(uint64(0)), Data: packEntry(nil, entryVersion, 0, wall+far, nil)}}, true},
		{"a reset", wall, 10, []*pb.Entry{reset}, true},
		{"before a reset", wall, 10, []*pb.Entry{entry(11, wall+far), reset}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, g := voter(3, map[NodeID]time.Duration{1: 0, 2: 0, 3: 410 * 24 * time.Hour})
			g.newest = tt.newest
			m := &pb.Message{Type: pb.MsgApp.Enum(), Term: new(uint64(1)), Commit: new(tt.commit), Entries: tt.entries}
			if got := c.credible(g, m); got != tt.want {
				t.Errorf("credible: got %v, want %v", got, tt.want)
			}
		})
	}
}
