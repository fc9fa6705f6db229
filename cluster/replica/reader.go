package replica

import "ssod/cluster"

// Reader reads what is applied of a shard on this node, which may be old or nothing.
func (e *Engine) Reader(id cluster.ShardID) cluster.Reader { return reader{e.cfg.State, id} }

// ReaderOf is [Engine.Reader] without an engine.
func ReaderOf(state State, id cluster.ShardID) cluster.Reader { return reader{state, id} }

type reader struct {
	state State
	shard cluster.ShardID
}

func (r reader) Head(e cluster.Entity) (cluster.Head, bool, error) {
	return r.state.Head(r.shard, e)
}

func (r reader) Records(e cluster.Entity, f func(part, value []byte) bool) error {
	return r.state.Records(r.shard, e, f)
}

func (r reader) Outcome(e cluster.Entity, q cluster.RequestID, step uint32) ([]byte, bool, error) {
	return r.state.Outcome(r.shard, e, q, step)
}

func (r reader) Entities(kind, after string, f func(identity string, h cluster.Head) bool) error {
	return r.state.Entities(r.shard, kind, after, f)
}
