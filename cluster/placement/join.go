package placement

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"ssod/cluster/meta"
)

// maxOffset is how far the clock of a node that joins may be off.
const maxOffset = 10 * time.Second

// Membership is what a node gets when it joins.
type Membership struct {
	Cluster    string
	ID         NodeID
	Shards     int
	SealingKey []byte
	// Nodes are the members, this one included.
	Nodes []Node
}

// Applicant is a node that wants to join.
type Applicant struct {
	Node
	// Shards is how many its operator wants; 0 means as many as the cluster has.
	Shards int
	// Clock is what its clock says.
	Clock time.Time
	// Settings are those that it must have in common with the members.
	Settings map[string]string
}

func (a *Applicant) request() *JoinRequest {
	return &JoinRequest{Node: a.record(), Shards: uint32(a.Shards), NowMs: a.Clock.UnixMilli(), Settings: a.Settings}
}

// Join asks a member to take a node in, through ask. It fails with [ErrRefused]
// when asking again does not help, else with [ErrTemporary] or what ask fails
// with.
func Join(ctx context.Context, ask func(context.Context, []byte) ([]byte, error), a Applicant) (Membership, error) {
	raw, err := ask(ctx, encode(&Request{Join: a.request()}))
	if err != nil {
		return Membership{}, err
	}
	answer, err := decodeAnswer(raw)
	if err != nil {
		return Membership{}, err
	}
	j := answer.GetJoin()
	m := Membership{Cluster: j.GetCluster(), ID: NodeID(j.GetId()), Shards: int(j.GetShards()), SealingKey: j.GetSealingKey()}
	for _, r := range j.GetNodes() {
		m.Nodes = append(m.Nodes, nodeOf(r))
	}
	if m.ID == 0 || m.Cluster == "" || m.Shards == 0 {
		return Membership{}, fmt.Errorf("%w: an answer that says nothing", ErrTemporary)
	}
	return m, nil
}

// admit takes a node in.
func (p *Placement) admit(ctx context.Context, j *JoinRequest) (*Answer, error) {
	if err := p.acceptable(j); err != nil {
		return nil, err
	}
	for {
		pages := p.book.pages.Load()
		if pages.revision == 0 {
			return nil, fmt.Errorf("%w: this node does not know the members yet", ErrTemporary)
		}
		newcomer, changed, err := p.enter(pages, nodeOf(j.GetNode()))
		if err != nil {
			return nil, err
		}
		err = p.put(ctx, pages.revision, changed...)
		if err == nil {
			p.cfg.Log.Info("a node joined", "node", newcomer.Name, "id", newcomer.ID, "raft", newcomer.Raft)
			p.reread()
			return p.welcome(newcomer), nil
		}
		if !errors.Is(err, meta.ErrChanged) {
			return nil, fmt.Errorf("%w: the cluster cannot take a node in now: %w", ErrTemporary, err)
		}
		if err := p.tables.Await(ctx, nodesTable, pages.revision+1); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrTemporary, err)
		}
		p.reread()
	}
}

// acceptable refuses a node that does not fit.
func (p *Placement) acceptable(j *JoinRequest) error {
	n := j.GetNode()
	if n.GetName() == "" || n.GetRpc() == "" || n.GetRaft() == "" {
		return fmt.Errorf("%w: a name and addresses are needed", ErrRefused)
	}
	if offset := time.UnixMilli(j.GetNowMs()).Sub(p.cfg.Clock()); offset.Abs() > maxOffset {
		return fmt.Errorf("%w: the clock of node %s is %v off: synchronise it (NTP) and start again",
			ErrTemporary, n.GetName(), offset.Round(time.Millisecond))
	}
	if want := int(j.GetShards()); want != 0 && want != p.engine.Count() {
		return fmt.Errorf("%w: the cluster has %d shards, node %s wants %d: start it with --shards %d",
			ErrRefused, p.engine.Count(), n.GetName(), want, p.engine.Count())
	}
	return p.agree(j)
}

// agree refuses a node whose settings contradict this one's. What only one of
// the two has is no contradiction: configurations change node by node.
func (p *Placement) agree(j *JoinRequest) error {
	ours, theirs := p.cfg.Settings(), j.GetSettings()
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		if value, ok := theirs[name]; ok && value != ours[name] {
			return fmt.Errorf("%w: the cluster has %s %s, node %s has %s: give it the configuration of the others",
				ErrRefused, name, ours[name], j.GetNode().GetName(), value)
		}
	}
	return nil
}

// enter decides what becomes of the registry when a node joins: it gets the
// next id, and whoever had its name and is unreachable is replaced.
func (p *Placement) enter(pages *pages, n Node) (newcomer Node, changed []Node, err error) {
	n.ID, n.State, n.Joined, n.Changed = 1, NodeState_ACTIVE, p.cfg.Clock(), p.cfg.Clock()
	for id := range pages.nodes {
		n.ID = max(n.ID, id+1)
	}
	for _, old := range pages.nodes {
		if old.Name != n.Name || old.State == NodeState_REMOVED {
			continue
		}
		if p.Alive(old.ID) {
			return n, nil, fmt.Errorf("%w: node %s is here and answers at %s: choose another --node name, or stop that one", ErrTemporary, old.Name, old.Raft)
		}
		if shard, ok := pages.onlyVoter(old.ID); ok {
			return n, nil, fmt.Errorf("%w: node %s holds the only copy of shard %d: start it with its own --data directory", ErrRefused, old.Name, shard)
		}
		old.State, old.Changed, old.ReplacedBy = NodeState_REMOVED, p.cfg.Clock(), n.ID
		changed = append(changed, old)
	}
	return n, append(changed, n), nil
}

// onlyVoter returns a shard in which nobody but the node votes.
func (g *pages) onlyVoter(n NodeID) (shard int, ok bool) {
	for s, a := range g.shards {
		if len(a.Voters) == 1 && a.Voters[0] == n {
			return s, true
		}
	}
	return 0, false
}

func (p *Placement) welcome(n Node) *Answer {
	a := &JoinAnswer{Cluster: p.cfg.Cluster, Id: uint32(n.ID), Shards: uint32(p.engine.Count()), SealingKey: p.cfg.SealingKey()}
	for _, m := range p.book.Nodes() {
		a.Nodes = append(a.Nodes, m.record())
	}
	return &Answer{Join: a}
}

// Errors of [Placement.Remove].
var (
	// ErrUnknownNode: no member has that name.
	ErrUnknownNode = errors.New("no such node")
	// ErrAlive: a node that answers is not removed.
	ErrAlive = errors.New("the node answers")
	// ErrOnlyCopy: the node holds the only copy of something.
	ErrOnlyCopy = errors.New("the node holds the only copy of a shard")
)

// Remove gives a node up for good. It must be unreachable, and somebody else
// must have what it has.
func (p *Placement) Remove(ctx context.Context, name string) error {
	for {
		pages := p.book.pages.Load()
		gone, err := p.giveUp(pages, name)
		if err != nil {
			return fmt.Errorf("remove node %s: %w", name, err)
		}
		err = p.put(ctx, pages.revision, gone)
		if !errors.Is(err, meta.ErrChanged) {
			return err
		}
		if err := p.tables.Await(ctx, nodesTable, pages.revision+1); err != nil {
			return err
		}
		p.reread()
	}
}

func (p *Placement) giveUp(pages *pages, name string) (Node, error) {
	for _, n := range pages.nodes {
		if n.Name != name || n.State == NodeState_REMOVED {
			continue
		}
		if p.Alive(n.ID) {
			return n, ErrAlive
		}
		if _, ok := pages.onlyVoter(n.ID); ok {
			return n, ErrOnlyCopy
		}
		n.State, n.Changed = NodeState_REMOVED, p.cfg.Clock()
		return n, nil
	}
	return Node{}, ErrUnknownNode
}
