package placement

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"ssod/cluster"
)

// maxOffset is how far the clock of a node that joins may be off.
const maxOffset = 10 * time.Second

// tokenLength is the length in bytes of [Applicant.Token].
const tokenLength = 16

// Membership is what a node gets when it joins.
type Membership struct {
	Cluster string
	ID      NodeID
	Shards  int
	// Nodes are the members, this one included.
	Nodes []Node
}

// Applicant is a node that wants to join.
type Applicant struct {
	Node
	// Shards is how many its operator wants; 0 means as many as the cluster has.
	Shards int
	// Clock is the time on its clock.
	Clock time.Time
	// Settings are those that it must have in common with the members.
	Settings map[string]string
	// Token identifies the process each time that it asks: 16 random bytes.
	Token []byte
}

func (a *Applicant) request() *JoinRequest {
	return &JoinRequest{Node: a.record(), Shards: uint32(a.Shards), NowMs: a.Clock.UnixMilli(), Settings: a.Settings, Applicant: a.Token}
}

// Join asks a member to take a node in, through ask. It fails with [ErrRefused] when asking
// again does not help, else with [ErrTemporary] or an error of ask.
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
	m := Membership{Cluster: j.GetCluster(), ID: NodeID(j.GetId()), Shards: int(j.GetShards())}
	for _, r := range j.GetNodes() {
		m.Nodes = append(m.Nodes, nodeOf(r))
	}
	if m.ID == 0 || m.Cluster == "" || m.Shards == 0 {
		return Membership{}, fmt.Errorf("%w: an empty answer", ErrTemporary)
	}
	return m, nil
}

// admit takes a node in, or asks the leader of the meta shard to. from is 0 for the node
// itself, else a member that forwards the request.
func (p *Placement) admit(ctx context.Context, from NodeID, j *JoinRequest) (*Answer, error) {
	if err := p.acceptable(j); err != nil {
		return nil, err
	}
	if _, leads := p.engine.Lead(cluster.MetaShard); !leads && from == 0 {
		return p.refer(ctx, j.GetNode().GetName(), &Request{Join: j})
	}
	var answer *Answer
	err := p.decideUntil(ctx, func(ctx context.Context, s *session) (err error) {
		answer, err = s.admit(ctx, j)
		return err
	})
	return answer, err
}

// admit decides whether a node becomes a member. It does if its name is free, or if the
// node that has it can be given up. An applicant that is a member already has missed the
// answer.
func (s *session) admit(ctx context.Context, j *JoinRequest) (*Answer, error) {
	n := nodeOf(j.GetNode())
	old, taken := s.contents.bearer(n.Name)
	if taken && len(j.GetApplicant()) > 0 && bytes.Equal(old.Applicant, j.GetApplicant()) {
		return s.p.welcome(old), nil
	}
	n.ID, n.State, n.Joined, n.Changed = s.contents.nextID(), NodeState_ACTIVE, s.p.cfg.Clock(), s.p.cfg.Clock()
	n.Applicant, n.Claimant, n.ClaimTerm, n.Certificates = j.GetApplicant(), nil, 0, nil
	n.Leave, n.Drain = Leave_STAYS, 0
	if !taken {
		return s.welcome(n, s.decide(ctx, n))
	}
	done, err := s.replace(ctx, old, j.GetApplicant(), &n)
	switch refused, ok := errors.AsType[*objection](err); {
	case ok && refused.forever:
		return nil, fmt.Errorf("%w: %s", ErrRefused, refused.text)
	case ok && s.p.Alive(old.ID):
		return nil, fmt.Errorf("%w: %s: choose another --node name, or stop that one", ErrWaits, refused.text)
	case ok:
		return nil, fmt.Errorf("%w: %s", ErrWaits, refused.text)
	case err == nil && !done:
		return nil, fmt.Errorf("%w: node %s is about to be replaced", ErrWaits, old.Name)
	}
	return s.welcome(n, err)
}

// welcome answers a node that has become a member, unless err.
func (s *session) welcome(n Node, err error) (*Answer, error) {
	if err != nil {
		return nil, err
	}
	s.p.cfg.Log.Info("a node joined", "node", n.Name, "id", n.ID, "raft", n.Raft)
	return s.p.welcome(n), nil
}

// acceptable refuses a node that does not fit.
func (p *Placement) acceptable(j *JoinRequest) error {
	n := j.GetNode()
	if n.GetName() == "" || n.GetRpc() == "" || n.GetRaft() == "" {
		return fmt.Errorf("%w: a name and addresses are needed", ErrRefused)
	}
	if len(j.GetApplicant()) != tokenLength {
		return fmt.Errorf("%w: the token of the process has %d bytes, not %d", ErrRefused, len(j.GetApplicant()), tokenLength)
	}
	if offset := time.UnixMilli(j.GetNowMs()).Sub(p.cfg.Clock()); offset.Abs() > maxOffset {
		return fmt.Errorf("%w: the clock of node %s is %v off: synchronise it (NTP) and start again",
			ErrTemporary, n.GetName(), offset.Round(time.Millisecond))
	}
	if want := int(j.GetShards()); want != 0 && want != p.engine.Count() {
		return fmt.Errorf("%w: the cluster has %d shards, node %s wants %d: start it with --shards %d",
			ErrRefused, p.engine.Count(), n.GetName(), want, p.engine.Count())
	}
	if err := compatible(p.registry.Settings().Level, nodeOf(n)); err != nil {
		return err
	}
	return p.agree(j)
}

// agree refuses a node whose settings contradict this one's. A setting that only one of the
// two has does not: configurations change node by node.
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

func (p *Placement) welcome(n Node) *Answer {
	a := &JoinAnswer{Cluster: p.cfg.Cluster, Id: uint32(n.ID), Shards: uint32(p.engine.Count())}
	for _, m := range p.registry.Nodes() {
		a.Nodes = append(a.Nodes, m.record())
	}
	return &Answer{Join: a}
}
