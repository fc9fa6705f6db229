package meta

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
	"ssod/cluster/wait"
)

// forwardPause is between two attempts to forward a change.
const forwardPause = 50 * time.Millisecond

// forwardTimeout bounds one attempt: a paused node does not answer, and another may lead
// meanwhile.
const forwardTimeout = time.Second

// forward asks the owner of the meta shard for the change.
func (a *attempt) forward(ctx context.Context, to cluster.Owner) (revision uint64, err error) {
	request, err := proto.Marshal(&ChangeRequest{
		Table: a.table, Puts: a.change.puts, Deletes: a.change.deletes, Request: a.request[:],
		Conditional: a.change.conditional, Base: a.change.base,
	})
	if err != nil {
		return 0, a.fail(err)
	}
	asking, cancel := context.WithTimeout(ctx, forwardTimeout)
	defer cancel()
	answer, err := a.ask(asking, to, request)
	switch answer.GetResult() {
	case Result_OK:
		return answer.GetRevision(), nil
	case Result_CHANGED:
		return 0, ErrChanged
	case Result_REFUSED:
		return 0, a.fail(cluster.ErrRefused)
	case Result_NOT_LEADER:
		return 0, errAgain
	}
	a.unknown, a.because = true, err
	return 0, errAgain
}

// ask returns an empty answer when there is none.
func (a *attempt) ask(ctx context.Context, to cluster.Owner, request []byte) (*ChangeAnswer, error) {
	answer := &ChangeAnswer{}
	raw, err := a.store.options.Forward(ctx, to, request)
	if err != nil {
		return answer, err
	}
	if err := proto.Unmarshal(raw, answer); err != nil {
		return &ChangeAnswer{}, fmt.Errorf("answer of %s: %w", to.Address, err)
	}
	return answer, nil
}

// pause waits for the next attempt.
func (a *attempt) pause(ctx context.Context) error {
	if err := wait.Pause(ctx, forwardPause); err != nil {
		return a.fail(errors.Join(err, a.because))
	}
	return nil
}

// Serve makes a change for another node, if this node leads the meta shard.
func (s *Store) Serve(ctx context.Context, request []byte) ([]byte, error) {
	r := &ChangeRequest{}
	if err := proto.Unmarshal(request, r); err != nil {
		return nil, fmt.Errorf("change of a table: %w", err)
	}
	if len(r.GetRequest()) != len(cluster.RequestID{}) || r.GetTable() == "" {
		return nil, errors.New("change of a table: no request id or no table")
	}
	a := attempt{
		store: s, table: r.GetTable(), request: cluster.RequestID(r.GetRequest()),
		change: change{puts: r.GetPuts(), deletes: r.GetDeletes(), conditional: r.GetConditional(), base: r.GetBase()},
	}
	answer := &ChangeAnswer{Result: Result_NOT_LEADER}
	if _, here := s.shards.Lead(cluster.MetaShard); here {
		var err error
		answer.Revision, err = a.here(ctx)
		answer.Result = resultOf(err)
	}
	return proto.Marshal(answer)
}

func resultOf(err error) Result {
	switch {
	case err == nil:
		return Result_OK
	case errors.Is(err, ErrChanged):
		return Result_CHANGED
	case errors.Is(err, cluster.ErrUnknown):
		return Result_UNKNOWN
	case errors.Is(err, errAgain), errors.Is(err, cluster.ErrLost):
		return Result_NOT_LEADER
	}
	return Result_REFUSED
}
