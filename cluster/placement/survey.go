package placement

import (
	"context"
	"sync"
	"time"

	"ssod/cluster"
	"ssod/cluster/plan"
)

// surveyTimeout bounds the question to one node.
const surveyTimeout = time.Second

// survey asks every member that is alive, this one included, what it knows of a node.
func (p *Placement) survey(ctx context.Context, of NodeID) map[NodeID]*Survey {
	ctx, cancel := context.WithTimeout(ctx, surveyTimeout)
	defer cancel()
	var mu sync.Mutex
	said := map[NodeID]*Survey{}
	var asking sync.WaitGroup
	for _, n := range p.registry.Nodes() {
		if n.State == NodeState_REMOVED || n.ID == of || !p.Alive(n.ID) {
			continue
		}
		asking.Go(func() {
			s, err := p.surveyOf(ctx, n.ID, of)
			if err != nil {
				p.cfg.Log.Debug("a node does not answer what it knows of another", "asked", n.Name, "of", of, "error", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			said[n.ID] = s
		})
	}
	asking.Wait()
	return said
}

// surveyOf is what one node knows of another.
func (p *Placement) surveyOf(ctx context.Context, asked, of NodeID) (*Survey, error) {
	if asked == p.self {
		return p.testify(ctx, of)
	}
	a, err := p.call(ctx, asked, &Request{Survey: &SurveyRequest{Node: uint32(of)}})
	return a.GetSurvey(), err
}

// testify is what this node knows of another.
func (p *Placement) testify(ctx context.Context, of NodeID) (*Survey, error) {
	contents := p.registry.contents.Load()
	s := &Survey{SilentMs: p.silence(of).Milliseconds()}
	for id := range cluster.ShardID(p.engine.Count() + 1) {
		known := contents.group(int(id))
		if _, leads := p.engine.Lead(id); !leads || known.Known() && !known.Votes(of) {
			continue
		}
		st, err := p.engine.Status(ctx, id)
		if err != nil {
			return nil, err
		}
		if !st.Open {
			continue
		}
		g, now := p.group(st, contents), configOf(st)
		g.Voters = append(g.Voters, now.Outgoing...)
		s.Groups = append(s.Groups, &GroupState{
			Shard: uint32(id), Term: st.Term, Present: replicaNumbers(g.Present()), Confirmed: now.SameVoters(known),
		})
	}
	return s, nil
}

// findings are what all nodes have said of one, and the registry.
type findings struct {
	contents *contents
	shards   int
	said     map[NodeID]*Survey
	alive    func(NodeID) bool
}

// silence is how long no node has heard the one in question.
func (f *findings) silence() time.Duration {
	silence := time.Duration(1<<63 - 1)
	for _, s := range f.said {
		silence = min(silence, time.Duration(s.GetSilentMs())*time.Millisecond)
	}
	return silence
}

// heardAll reports whether a majority of the voters of the meta shard has answered.
func (f *findings) heardAll() bool {
	return f.contents.group(int(cluster.MetaShard)).Majority(func(r plan.ReplicaID) bool { return f.said[r.Node()] != nil })
}

// led is what the leader of a shard said of its group; nil without a leader.
func (f *findings) led(shard int) (newest *GroupState) {
	for _, s := range f.said {
		for _, g := range s.GetGroups() {
			if int(g.GetShard()) == shard && g.GetTerm() > newest.GetTerm() {
				newest = g
			}
		}
	}
	return newest
}

// mayLose judges whether every group survives the loss of a node. A group that its leader
// has not confirmed as it is now counts as unknown; one without a leader has no member
// present.
func (f *findings) mayLose(n NodeID) error {
	groups := f.contents.all(f.shards)
	present := make([]map[plan.ReplicaID]bool, len(groups))
	for shard, c := range groups {
		led := f.led(shard)
		if led != nil && (!led.GetConfirmed() || led.GetTerm() < c.Term) {
			groups[shard] = plan.Config{}
		}
		present[shard] = map[plan.ReplicaID]bool{}
		for _, r := range replicas(led.GetPresent()) {
			present[shard][r] = f.alive(r.Node())
		}
	}
	return plan.MayLose(groups, n, plan.Outlook{
		Live: func(shard int, r plan.ReplicaID) bool { return present[shard][r] },
		Gone: f.contents.removed,
	})
}
