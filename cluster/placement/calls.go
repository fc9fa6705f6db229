package placement

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
)

// Calls carries requests to other nodes. A request may have been carried out
// although Call fails.
type Calls interface {
	Call(ctx context.Context, to NodeID, request []byte) (answer []byte, err error)
}

// callTimeout bounds a request that is soon repeated.
const callTimeout = 2 * time.Second

var (
	// ErrRefused: the other node refuses for good; the text says what to do.
	ErrRefused = errors.New("refused")
	// ErrTemporary: asking again may help.
	ErrTemporary = errors.New("not now")
	// ErrWaits is an [ErrTemporary] of the leader of the meta shard: asking another node
	// does not help.
	ErrWaits = fmt.Errorf("%w", ErrTemporary)
)

// kinds are the errors that other nodes tell apart; the first match counts.
var kinds = []struct {
	err  error
	kind ErrorKind
}{
	{ErrRefused, ErrorKind_REFUSED},
	{ErrNeeded, ErrorKind_NEEDED},
	{ErrUnknownNode, ErrorKind_UNKNOWN_NODE},
	{ErrSetting, ErrorKind_SETTING},
	{ErrNotDrained, ErrorKind_NOT_DRAINED},
	{ErrWaits, ErrorKind_WAITS},
	{ErrTemporary, ErrorKind_TEMPORARY},
}

// call asks another node within [callTimeout].
func (p *Placement) call(ctx context.Context, to NodeID, r *Request) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return p.ask(ctx, to, r)
}

// ask asks another node.
func (p *Placement) ask(ctx context.Context, to NodeID, r *Request) (*Answer, error) {
	raw, err := p.cfg.Calls.Call(ctx, to, encode(r))
	if err != nil {
		return nil, fmt.Errorf("ask node %d: %w", to, err)
	}
	return decodeAnswer(raw)
}

// leaderOf is the node that leads a shard as far as this one knows.
func (p *Placement) leaderOf(id cluster.ShardID) (Node, error) {
	owner, _ := p.view.Owner(id)
	n, ok := p.registry.At(owner.Address)
	if !ok || n.ID == p.self {
		return Node{}, fmt.Errorf("%w: no leader of shard %d is known", ErrTemporary, id)
	}
	return n, nil
}

func decodeAnswer(raw []byte) (*Answer, error) {
	a := &Answer{}
	if err := proto.Unmarshal(raw, a); err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	if a.GetError() == "" {
		return a, nil
	}
	for _, k := range kinds {
		if k.kind == a.GetKind() {
			return nil, fmt.Errorf("%w: %s", k.err, a.GetError())
		}
	}
	return nil, fmt.Errorf("%w: %s", ErrTemporary, a.GetError())
}

// Serve answers a request of another node; from is 0 for one that is not a member and
// may only join. An error means that the request is malformed.
func (p *Placement) Serve(ctx context.Context, from NodeID, request []byte) ([]byte, error) {
	r := &Request{}
	if err := proto.Unmarshal(request, r); err != nil {
		return nil, fmt.Errorf("request of node %d: %w", from, err)
	}
	a, err := p.answer(ctx, from, r)
	if err != nil {
		a = failed(err)
	}
	return encode(a), nil
}

// failed is the answer for err, without the text of its kind, which the other side adds.
func failed(err error) *Answer {
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return &Answer{Kind: k.kind, Error: strings.TrimPrefix(err.Error(), k.err.Error()+": ")}
		}
	}
	return &Answer{Kind: ErrorKind_TEMPORARY, Error: err.Error()}
}

func (p *Placement) answer(ctx context.Context, from NodeID, r *Request) (*Answer, error) {
	if r.GetJoin() != nil {
		return p.admit(ctx, from, r.GetJoin())
	}
	if n, ok := p.registry.Node(from); !ok || n.State == NodeState_REMOVED {
		return nil, fmt.Errorf("%w: node %d is not a member", ErrRefused, from)
	}
	return p.handle(ctx, from, r)
}

// handle carries out a request of a member.
func (p *Placement) handle(ctx context.Context, from NodeID, r *Request) (*Answer, error) {
	switch {
	case len(r.GetChange()) > 0:
		answer, err := p.tables.Serve(ctx, r.GetChange())
		return &Answer{Change: answer}, err
	case r.GetPrepare() != nil:
		return p.prepare(ctx, r.GetPrepare())
	case r.GetRelease() != nil:
		return p.release(ctx, r.GetRelease())
	case r.GetLeaders() != nil:
		p.view.hear(from, r.GetLeaders())
		return &Answer{}, nil
	case r.GetContact() != nil:
		p.leases.ask(from)
		newest, err := p.tables.Newest(ctx)
		return &Answer{Contact: &Contact{Revisions: newest}}, err
	case r.GetSurvey() != nil:
		survey, err := p.testify(ctx, NodeID(r.GetSurvey().GetNode()))
		return &Answer{Survey: survey}, err
	case r.GetRemove() != nil:
		return &Answer{}, p.giveUp(ctx, r.GetRemove().GetName())
	case r.GetSet() != nil:
		return &Answer{}, p.set(ctx, r.GetSet().GetChanges())
	case r.GetDrain() != nil:
		return &Answer{}, p.drain(ctx, r.GetDrain())
	case r.GetLeave() != nil:
		return &Answer{}, p.leave(ctx, from, r.GetLeave())
	case r.GetReadmit() != nil:
		return &Answer{}, p.readmit(ctx, r.GetReadmit().GetName())
	case r.GetSetBack() != nil:
		return &Answer{}, p.engine.Reset(ctx, cluster.ShardID(r.GetSetBack().GetShard()))
	case r.GetApplied() != nil:
		upTo, err := p.cfg.Scrubber.applied(ctx, r.GetApplied().GetShards())
		return &Answer{Applied: &Applied{Upto: upTo}}, err
	case r.GetFind() != nil:
		f := r.GetFind()
		found, err := p.cfg.Finder.find(cluster.ShardID(f.GetShard()), f.GetKind(), f.GetValue())
		return &Answer{Found: &Found{Identities: found}}, err
	case r.GetScrub() != nil:
		done, err := p.cfg.Scrubber.wait(ctx, string(r.GetScrub().GetJob()), r.GetScrub().GetUpto())
		return &Answer{Scrubbed: &Scrubbed{Done: done}}, err
	case len(r.GetPin()) > 0:
		return p.pin(ctx, r.GetPin())
	case len(r.GetEvents()) > 0:
		return p.events(ctx, r.GetEvents())
	case r.GetAwait() != nil:
		return &Answer{}, p.tables.Await(ctx, r.GetAwait().GetTable(), r.GetAwait().GetRevision())
	}
	return nil, fmt.Errorf("%w: unknown request", ErrRefused)
}
