package state

import (
	"encoding/binary"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"ssod/persistence/data"
	"ssod/persistence/layout"
)

// TestSlotsCanMove: what is stored of a range of slots can become another shard's in
// another store by what the keys say, outcomes included, and nothing else is touched.
func TestSlotsCanMove(t *testing.T) {
	const first, last = data.Slot(0x4000), data.Slot(0xbfff)
	from, to := slotStore{fs: vfs.NewMem(), shard: 1}, slotStore{fs: vfs.NewMem(), shard: 2}
	from.fill(t, "from", 80, time.UnixMilli(1_000_000))
	to.fill(t, "to", 40, time.UnixMilli(5_000_000)) // its clock is ahead: what moves is no older for that
	there, stays, moves := to.read(t), map[data.Entity]string{}, map[data.Entity]string{}
	for e, s := range from.read(t) {
		if slot := e.Slot(); slot >= first && slot <= last {
			moves[e] = s
		} else {
			stays[e] = s
		}
	}
	if len(stays) < 10 || len(moves) < 10 {
		t.Fatalf("%d stay and %d move", len(stays), len(moves))
	}
	from.move(t, to, first, last)
	if diff := cmp.Diff(stays, from.read(t)); diff != "" {
		t.Errorf("what stays (-want +got):\n%s", diff)
	}
	maps.Copy(there, moves)
	if diff := cmp.Diff(there, to.read(t)); diff != "" {
		t.Errorf("what was there and what came (-want +got):\n%s", diff)
	}
	s := to.open(t)
	defer s.close(t)
	for e := range moves { // life goes on
		h, _, _ := s.Head(to.shard, e)
		if err := applyAt(s, to.shard, data.Commit{Entity: e, BaseRev: h.Rev}, time.UnixMilli(5_000_000)); err != nil {
			t.Errorf("a change of what came: %v", err)
		}
	}
}

// slotStore is a store with one shard of that number, which is open only while it is
// worked on.
type slotStore struct {
	fs    vfs.FS
	shard data.ShardID
}

func (x slotStore) open(t *testing.T) *store {
	t.Helper()
	s := open(t, options{fs: x.fs})
	s.begin(t, x.shard)
	return s
}

// names are the entities that a store was filled with.
func (x slotStore) entity(name string, i int) data.Entity {
	return data.Entity{Kind: []string{"profile", "device"}[i%2], Identity: fmt.Sprint(name, "-", i)}
}

// fill founds entities with records and changes them in three flushes, each change with
// the outcomes of two steps.
func (x slotStore) fill(t *testing.T, name string, n int, now time.Time) {
	t.Helper()
	s := x.open(t)
	defer s.close(t)
	for rev := range uint64(3) {
		for i := range n {
			c := data.Commit{Entity: x.entity(name, i), BaseRev: rev, State: fmt.Appendf(nil, "%s %d of revision %d", name, i, rev)}
			if i%3 == 0 {
				c.Puts = []data.Record{{Part: fmt.Sprint("part ", rev), Value: fmt.Append(nil, i)}}
			}
			if i%2 == 0 {
				c.Events = []data.Event{{Receiver: uint64(i % 3), Body: fmt.Append(nil, "event of ", name, i, " ", rev)}}
			}
			for step := range uint32(2) {
				c.Outcomes = append(c.Outcomes, data.Outcome{Request: requestOf(rev), Step: step, Result: fmt.Append(nil, name, i, step)})
			}
			if err := applyAt(s, x.shard, c, now.Add(time.Duration(rev)*10*time.Second)); err != nil {
				t.Fatal(err)
			}
		}
		flushAll(t, s)
	}
}

// requestOf is the request that led to a revision, of every entity.
func requestOf(rev uint64) data.RequestID { return data.RequestID{byte(rev), 1, 2, 3, 4, 5, 6, 7, 8} }

func applyAt(s *store, id data.ShardID, c data.Commit, at time.Time) error {
	place := data.Position{Index: s.Applied(id).Index + 1, Term: 1}
	rejected, err := s.Apply([]data.Change{{Shard: id, Position: place, Time: uint64(at.UnixMilli()), Commits: []data.Commit{c}}})
	if err == nil && rejected[0] != nil {
		err = rejected[0][0]
	}
	return err
}

// read says what the store has of each entity that is listed.
func (x slotStore) read(t *testing.T) map[data.Entity]string {
	t.Helper()
	s := x.open(t)
	defer s.close(t)
	all := map[data.Entity]string{}
	for _, kind := range []string{"profile", "device"} {
		if err := s.Entities(x.shard, kind, "", func(identity string, h data.Head) bool {
			all[data.Entity{Kind: kind, Identity: identity}] = fmt.Sprintf("%d %q", h.Rev, h.State)
			return true
		}); err != nil {
			t.Fatal(err)
		}
	}
	for e := range all {
		if _, ok, err := s.Head(x.shard, e); !ok || err != nil {
			t.Errorf("head of %v, which is listed: %v %v", e, ok, err)
		}
		if err := s.Records(x.shard, e, func(part, value []byte) bool {
			all[e] += fmt.Sprintf(", %s: %s", part, value)
			return true
		}); err != nil {
			t.Fatal(err)
		}
		for rev := range uint64(3) {
			for step := range uint32(2) {
				result, ok, err := s.Outcome(x.shard, e, requestOf(rev), step)
				if !ok || err != nil {
					t.Errorf("outcome %d/%d of %v: %v %v", rev, step, e, ok, err)
				}
				all[e] += fmt.Sprintf(", %s", result)
			}
		}
	}
	x.readEvents(t, s, all)
	return all
}

// readEvents adds what waits of the entities, in the order in which it is delivered.
func (x slotStore) readEvents(t *testing.T, s *store, all map[data.Entity]string) {
	t.Helper()
	of := map[string]data.Entity{}
	for e := range all {
		of[string(s.salt.AppendEntity(nil, e))] = e
	}
	receivers, err := s.Receivers(x.shard, data.SpaceQueue)
	must(t, err)
	for _, receiver := range receivers {
		must(t, s.Events(x.shard, data.SpaceQueue, receiver, 0, func(k data.EventKey, body []byte) bool {
			all[of[k.Entity()]] += fmt.Sprintf(", %s for %d", body, receiver)
			return true
		}))
	}
}

// move moves a range of slots to another store, both closed, by their keys alone.
func (x slotStore) move(t *testing.T, to slotStore, first, last data.Slot) {
	t.Helper()
	source, target := x.open(t), to.open(t)
	defer source.close(t)
	defer target.close(t)
	out, in := source.db.NewBatch(), target.db.NewBatch()
	defer out.Close()
	defer in.Close()
	span := layout.SlotSpan(x.shard, first, last)
	each(t, source, span, func(key, value []byte) {
		must(t, in.Set(append(layout.AppendShard(nil, to.shard, layout.SubEntity), key[layout.ShardKeyLen:]...), value, nil))
	})
	must(t, out.DeleteRange(span.Start, span.End, nil))
	blocks := pebble.KeyRange{
		Start: layout.AppendShard(nil, x.shard, layout.SubOutcome), End: layout.AppendShard(nil, x.shard, layout.SubOutcome+1),
	}
	later := target.Time(to.shard).Sub(source.Time(x.shard)).Milliseconds() // the age of a block stays the same
	number := uint32(1 << 16)                                               // behind the target's own of that flush
	each(t, source, blocks, func(key, value []byte) {
		stays, moves := value[:8:8], binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(value)+uint64(later))
		must(t, outcomesIn(value, func(entity, request []byte, step uint32, result []byte) bool {
			e, _, err := layout.SplitEntity(entity)
			must(t, err)
			if e.Slot >= first && e.Slot <= last {
				moves = appendOutcome(moves, string(entity), data.RequestID(request), step, result)
			} else {
				stays = appendOutcome(stays, string(entity), data.RequestID(request), step, result)
			}
			return true
		}))
		must(t, out.Set(key, stays, nil))
		must(t, in.Set(blockKey(to.shard, target.Applied(to.shard).Index, number), moves, nil))
		number++
	})
	x.moveEvents(t, source, target, to.shard, in, out, first, last)
	must(t, target.db.Commit(in, pebble.Sync))
	must(t, source.db.Commit(out, pebble.Sync))
}

// moveEvents moves the events of a range of slots: behind those that the target has, in the
// order that they had.
func (x slotStore) moveEvents(t *testing.T, source, target *store, to data.ShardID, in, out *pebble.Batch, first, last data.Slot) {
	t.Helper()
	n := 0
	each(t, source, layout.EventSpan(x.shard, layout.SubEvent), func(key, value []byte) {
		k, err := layout.ParseEventKey(key)
		must(t, err)
		e, _, err := layout.SplitEntity([]byte(k.Entity()))
		must(t, err)
		if e.Slot < first || e.Slot > last {
			return
		}
		moved := k.Moved(data.Queued, data.EventSequence(target.Applied(to).Index+1, n))
		n++
		must(t, in.Set(layout.AppendEventKey(nil, to, moved), value, nil))
		must(t, out.Delete(key, nil))
	})
}

// each calls f for what Pebble has in a span.
func each(t *testing.T, s *store, span pebble.KeyRange, f func(key, value []byte)) {
	t.Helper()
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: span.Start, UpperBound: span.End})
	must(t, err)
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		f(it.Key(), it.Value())
	}
	must(t, it.Error())
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
