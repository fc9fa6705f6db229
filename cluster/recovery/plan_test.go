package recovery

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"ssod/persistence"
)

// id is a replica of the first generation.
func id(n persistence.NodeID) persistence.ReplicaID { return persistence.NewReplicaID(n, 1) }

func voters(nodes ...persistence.NodeID) (c Configuration) {
	for _, n := range nodes {
		c.Voters = append(c.Voters, id(n))
	}
	return c
}

// joint is a change from some voters to others.
func joint(from, to Configuration) Configuration {
	return Configuration{Voters: to.Voters, Outgoing: from.Voters}
}

// has is a replica on a node whose log ends with an entry of a term.
func has(n persistence.NodeID, term, index uint64, confs ...Configuration) Replica {
	return Replica{Replica: id(n), Term: term + 1, LastTerm: term, LastIndex: index, Configurations: confs}
}

// reported are the reports of nodes that have one shard beside the meta shard, which
// all of them have alike.
func reported(replicas ...Replica) (all []Report) {
	var everybody Configuration
	for _, r := range replicas {
		everybody.Voters = append(everybody.Voters, id(r.Replica.Node()))
	}
	for _, r := range replicas {
		n := r.Replica.Node()
		meta := has(n, 1, 10, everybody)
		r.Shard = 1
		report := Report{Format: Format, Cluster: "c", Node: Member{ID: n, Name: string(rune('a' - 1 + n))}, Shards: 1, Replicas: []Replica{meta, r}}
		if len(r.Configurations) == 0 {
			report.Replicas, report.Next = report.Replicas[:1], map[persistence.ShardID]persistence.ReplicaID{1: persistence.NewReplicaID(n, 4)}
		}
		all = append(all, report)
	}
	return all
}

func TestWhoDecidesAndWhatIsLost(t *testing.T) {
	three := voters(1, 2, 3) // of logs that are alike not node 1's, which decides the meta shard
	for _, c := range []struct {
		what    string
		left    []Replica
		source  persistence.NodeID
		verdict Verdict
	}{
		{"one of three", []Replica{has(2, 5, 100, three)}, 2, MayLack},
		{"two of three, the later term is longer than the log", []Replica{has(1, 5, 900, three), has(2, 6, 100, three)}, 2, Whole},
		{"two of three, the same term", []Replica{has(1, 5, 90, three), has(3, 5, 91, three)}, 3, Whole},
		{"the only voter, and a listener that has less", []Replica{has(1, 5, 90, voters(1)), has(2, 5, 80, voters(1))}, 1, Whole},
		{"a listener has more than the voter that is left", []Replica{has(1, 5, 90, three), has(4, 5, 95, three)}, 4, MayLack},
		{"a majority of the new voters, not of the old", []Replica{has(1, 5, 90, joint(voters(3, 4, 5), three)), has(2, 5, 90, joint(voters(3, 4, 5), three))}, 2, MayLack},
		{"a majority of both", []Replica{
			has(1, 5, 90, joint(voters(2, 3, 4), three)), has(2, 5, 90, joint(voters(2, 3, 4), three)),
			has(3, 5, 90, joint(voters(2, 3, 4), three)),
		}, 2, Whole},
		{"a change that may be committed needs others", []Replica{has(1, 5, 90, three, voters(1, 4, 5)), has(2, 5, 90, three)}, 2, MayLack},
		{"a change that only the lesser log has", []Replica{has(1, 6, 90, three), has(2, 5, 95, three, voters(2, 4, 5))}, 1, Whole},
		{"a replica of an earlier generation is no voter", []Replica{
			has(1, 5, 90, Configuration{Voters: []persistence.ReplicaID{persistence.NewReplicaID(1, 2), id(2), id(3)}}),
			has(2, 5, 90, three),
		}, 2, MayLack},
	} {
		p, err := Decide(reported(c.left...), false)
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		s := p.Shards[1]
		if s.Source != c.source || s.Verdict != c.verdict {
			t.Errorf("%s: node %d decides, %s; want node %d, %s", c.what, s.Source, s.Verdict, c.source, c.verdict)
		}
		for _, r := range c.left {
			n := r.Replica.Node()
			if s.Term <= r.Term || s.Replicas[n] != persistence.NewReplicaID(n, 2) {
				t.Errorf("%s: replica %v of term %d becomes %v of term %d", c.what, r.Replica, r.Term, s.Replicas[n], s.Term)
			}
		}
	}
}

func TestWhatIsGone(t *testing.T) {
	reports := reported(has(1, 0, 0), has(2, 0, 0))
	if _, err := Decide(reports, false); !errors.Is(err, ErrGone) || !strings.Contains(err.Error(), "[1]") {
		t.Errorf("without shard 1: %v", err)
	}
	p, err := Decide(reports, true)
	if err != nil {
		t.Fatal(err)
	}
	// Node 1 decides shard 0, so it is the other's turn, under an id that is new there.
	s := p.Shards[1]
	if s.Verdict != Gone || s.Source != 2 || s.Replicas[2] != persistence.NewReplicaID(2, 4) || len(s.Replicas) != 1 {
		t.Errorf("the empty shard: %+v", s)
	}
	if !strings.Contains(p.Summary(), "1 begin EMPTY, nothing is left of them: 1\n") {
		t.Errorf("the plan says %s", p.Summary())
	}
	for i := range reports {
		reports[i].Replicas = nil
	}
	if _, err := Decide(reports, true); !errors.Is(err, ErrGone) {
		t.Errorf("without shard 0: %v", err)
	}
}

func TestReportsThatDoNotBelongTogether(t *testing.T) {
	one := reported(has(1, 5, 90, voters(1, 2, 3)))
	other := reported(has(2, 5, 90, voters(1, 2, 3)))
	for what, spoil := range map[string]func(*Report){
		"another cluster":     func(r *Report) { r.Cluster = "d" },
		"another incarnation": func(r *Report) { r.Cluster = "c.0" },
		"another size":        func(r *Report) { r.Shards = 2 },
		"the same node":       func(r *Report) { r.Node.ID = 1 },
		"a newer format":      func(r *Report) { r.Format = Format + 1 },
	} {
		spoiled := other[0]
		spoil(&spoiled)
		if _, err := Decide([]Report{one[0], spoiled}, true); !errors.Is(err, ErrReports) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := Decide(nil, true); !errors.Is(err, ErrReports) {
		t.Errorf("no report: %v", err)
	}
}

func TestThePlanSaysWhoIsRemoved(t *testing.T) {
	reports := reported(has(1, 5, 90, voters(1, 2, 7)))
	reports[0].Members = []Member{{ID: 1, Name: "a"}, {ID: 2, Name: "b"}, {ID: 3, Name: "c"}}
	p, err := Decide(reports, false)
	if err != nil {
		t.Fatal(err)
	}
	if want := []Member{{ID: 2, Name: "b"}, {ID: 3, Name: "c"}, {ID: 7}}; !slices.Equal(p.Lost, want) {
		t.Errorf("lost: %v, want %v", p.Lost, want)
	}
	if !strings.Contains(p.Summary(), "goes on as "+p.Recovered+" with a; removed: b, c, node 7\n") {
		t.Errorf("the plan says %s", p.Summary())
	}
	again, err := Decide(reports, false)
	if err != nil || again.Recovered == p.Recovered || !strings.HasPrefix(p.Recovered, "c.") {
		t.Errorf("two plans are of one incarnation: %s, %s, %v", p.Recovered, again.Recovered, err)
	}
}

// Sources are spread, so that no survivor decides everything at first.
func TestSourcesAreSpread(t *testing.T) {
	var reports []Report
	for n := range persistence.NodeID(2) {
		r := Report{Format: Format, Cluster: "c", Node: Member{ID: n + 1, Name: "n"}, Shards: 9}
		for s := range persistence.ShardID(10) {
			x := has(n+1, 3, 10, voters(1, 2, 3))
			x.Shard = s
			r.Replicas = append(r.Replicas, x)
		}
		reports = append(reports, r)
	}
	p, err := Decide(reports, false)
	if err != nil {
		t.Fatal(err)
	}
	led := map[persistence.NodeID]int{}
	for _, s := range p.Shards {
		led[s.Source]++
	}
	if led[1] != 5 || led[2] != 5 {
		t.Errorf("shards by source: %v", led)
	}
}

// A directory that is a copy from before proves nothing, however many there are.
func TestCopiesFromBeforeAreNotWhole(t *testing.T) {
	three := voters(1, 2, 3)
	reports := reported(has(1, 5, 90, three), has(2, 5, 80, three), has(3, 5, 70, three))
	for i := range reports {
		reports[i].Starts, reports[i].Durable = 4, 1000
		for n := range reports {
			if n != i {
				reports[i].Known = append(reports[i].Known, Known{persistence.NodeID(n + 1), persistence.Boot{Number: 4, Incarnation: 7}, 1000})
			}
		}
	}
	p, err := Decide(reports, false)
	if err != nil || len(p.Older) > 0 || p.Shards[1].Verdict != Whole {
		t.Errorf("directories as they were left: %v, %v, %v", p.Older, p.Shards[1].Verdict, err)
	}
	reports[1].Known[1].Durable = 1001
	reports[2].Known[0].Start.Number = 5
	p, err = Decide(reports, false)
	if err != nil || len(p.Older) != 2 || p.Older[0].ID != 1 || p.Older[1].ID != 3 || p.Shards[1].Verdict != MayLack || p.Shards[1].Source != 1 {
		t.Errorf("two are copies from before: %v, %+v, %v", p.Older, p.Shards[1], err)
	}
	if p.Nodes[0].Start.Number != 5 || p.Nodes[1].Start.Number != 4 {
		t.Errorf("the newest starts: %v", p.Nodes)
	}
	if !strings.Contains(p.Summary(), "an old copy, not what the node wrote last: the directory of a, c\n") {
		t.Errorf("the plan says %s", p.Summary())
	}
}
