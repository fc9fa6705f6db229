package state

import (
	"maps"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"ssod/persistence/data"
	"ssod/persistence/layout"
)

// events adds the events of a layer to the batch and deletes those that have ended.
func (f *flush) events(w *flushed) error {
	if len(w.layer.forgotten) > 0 {
		if err := f.forgetEvents(w.id, w.layer.forgotten); err != nil {
			return err
		}
	}
	es := &w.layer.events
	for _, key := range slices.Sorted(maps.Keys(es.gone)) {
		if err := f.batch.Delete(layout.AppendEventKey(nil, w.id, key), nil); err != nil {
			return err
		}
	}
	for _, q := range es.queue {
		if q.body == nil {
			continue
		}
		if err := f.batch.Set(layout.AppendEventKey(nil, w.id, q.key), q.body, nil); err != nil {
			return err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(es.dead)) {
		if es.dead[key] == nil {
			continue
		}
		if err := f.batch.Set(layout.AppendEventKey(nil, w.id, key), es.dead[key], nil); err != nil {
			return err
		}
	}
	return nil
}

// forgetEvents deletes what is on disk of the events of some entities. It reads the keys of
// all that wait in the shard.
func (f *flush) forgetEvents(id data.ShardID, entities map[string]bool) error {
	span := layout.EventSpan(id, layout.SubEvent)
	span.End = layout.EventSpan(id, layout.SubDead).End
	it, err := f.s.db.NewIter(&pebble.IterOptions{LowerBound: span.Start, UpperBound: span.End})
	if err != nil {
		return layout.Damaged(err)
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		key, err := layout.ParseEventKey(it.Key())
		if err != nil {
			return err
		}
		if entities[key.Entity()] {
			if err := f.batch.Delete(it.Key(), nil); err != nil {
				return err
			}
		}
	}
	return layout.Damaged(it.Error())
}
