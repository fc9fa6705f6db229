package session

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
)

// schema is the version of the head record's format.
const schema = 1

// decision is what becomes of a command: next, when not nil, must be durable
// before the reply leaves. A State never changes once it is in use.
type decision struct {
	reply proto.Message
	next  *State
	// remove deletes the session's record.
	remove bool
}

func answer(reply proto.Message) decision { return decision{reply: reply} }

// clone returns a copy that can be changed, fields of later versions included.
func (s *State) clone() *State { return proto.Clone(s).(*State) }

// commit makes d.next the stored state.
func (d *decision) commit() (*cluster.Commit, error) {
	if d.remove {
		return &cluster.Commit{Remove: true}, nil
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(d.next)
	if err != nil {
		return nil, fmt.Errorf("encode session: %w", err)
	}
	return &cluster.Commit{Schema: schema, State: b}, nil
}

// decode reads a head record.
func decode(h cluster.Head) (*State, error) {
	if h.Schema != schema {
		return nil, fmt.Errorf("session has an unknown schema: %d", h.Schema)
	}
	s := &State{}
	if err := proto.Unmarshal(h.State, s); err != nil {
		return nil, fmt.Errorf("decode session: %w", err)
	}
	return s, nil
}
