package model_test

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	pb "go.etcd.io/raft/v3/raftpb"

	"ssod/cluster/replica/core"
	"ssod/cluster/replica/model"
	"ssod/persistence"
)

// The store and its model do the same writes and must look the same after each
// of them and after crashes. A crash may leave any beginning of what was not
// synced, so after one the store must look like the model after one of its own.

var (
	shards   = []core.ShardID{1, 2}
	entities = []core.Entity{{Kind: "k", Identity: "a"}, {Kind: "k", Identity: "b"}, {Kind: "l", Identity: "a"}}
	requests = []persistence.RequestID{{1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}}
)

// disk is what the test sees of either.
type disk interface {
	core.Store
	flush(...core.ShardID) error
	head(core.ShardID, core.Entity) string
	outcome(core.ShardID, core.Entity, persistence.RequestID) string
	events(core.ShardID) []string
}

type modelDisk struct{ *model.Store }

func (d modelDisk) head(s core.ShardID, e core.Entity) string {
	h, ok := d.Head(s, e)
	r, _ := d.Record(s, e, "part")
	return fmt.Sprintf("%v %d %s %s", ok, h.Rev, h.State, r)
}

func (d modelDisk) outcome(s core.ShardID, e core.Entity, r persistence.RequestID) string {
	v, _ := d.Outcome(s, e, r, 1)
	return v
}

func (d modelDisk) events(s core.ShardID) (all []string) {
	for _, space := range []byte{persistence.EventQueue, persistence.EventDead} {
		for _, k := range d.Events(s, space) {
			body, _ := d.Event(s, k)
			all = append(all, shown(k, []byte(body)))
		}
	}
	return all
}

// shown is what of an event both have: entities have other keys in the model.
func shown(k persistence.EventKey, body []byte) string {
	return fmt.Sprintf("%c %d %d %v %s", k.Space(), k.Receiver(), k.Sequence(), k.Entity() != "", body)
}

func (d modelDisk) flush(shards ...core.ShardID) error { d.Flush(shards...); return nil }

type pebbleDisk struct {
	*persistence.Log
	store *persistence.Store
	fs    *vfs.MemFS
}

func openPebble(t *testing.T, fs *vfs.MemFS) pebbleDisk {
	t.Helper()
	s, err := persistence.Open(persistence.Options{
		Dir: "data", FS: fs, DefaultNode: "n1", Shards: 2, Logger: slog.New(slog.DiscardHandler), MemTableBytes: 1 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return pebbleDisk{s.Log(), s, fs}
}

func (d pebbleDisk) flush(shards ...core.ShardID) error { return d.Flush(shards...) }

func (d pebbleDisk) head(s core.ShardID, e core.Entity) string {
	h, ok, err := d.store.Head(s, e)
	if err != nil {
		return err.Error()
	}
	part := ""
	err = d.store.Records(s, e, func(_, v []byte) bool { part = string(v); return true })
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%v %d %s %s", ok, h.Rev, h.State, part)
}

func (d pebbleDisk) outcome(s core.ShardID, e core.Entity, r persistence.RequestID) string {
	v, _, err := d.store.Outcome(s, e, r, 1)
	if err != nil {
		return err.Error()
	}
	return string(v)
}

func (d pebbleDisk) events(s core.ShardID) (all []string) {
	for _, space := range []byte{persistence.EventQueue, persistence.EventDead} {
		receivers, err := d.store.Receivers(s, space)
		for _, receiver := range receivers {
			err = errors.Join(err, d.store.Events(s, space, receiver, 0, func(k persistence.EventKey, body []byte) bool {
				all = append(all, shown(k, body))
				return true
			}))
		}
		if err != nil {
			return []string{err.Error()}
		}
	}
	return all
}

// Apply applies the changes with the store's own keys of the events that they mark.
func (d pebbleDisk) Apply(changes []core.Change) ([][]error, error) {
	changes = slices.Clone(changes)
	for i := range changes {
		c := &changes[i]
		c.Commits = slices.Clone(c.Commits)
		for j := range c.Commits {
			c.Commits[j].Marks = slices.Clone(c.Commits[j].Marks)
			for n := range c.Commits[j].Marks {
				m := &c.Commits[j].Marks[n]
				err := d.store.Events(c.Shard, m.Key.Space(), m.Key.Receiver(), m.Key.Sequence()-1, func(k persistence.EventKey, _ []byte) bool {
					if k.Sequence() == m.Key.Sequence() {
						m.Key = k
					}
					return false
				})
				if err != nil {
					return nil, err
				}
			}
		}
	}
	return d.Log.Apply(changes)
}

// look describes everything that a disk holds.
func look(d disk, past *past) string {
	var b strings.Builder
	rs, err := d.Replicas()
	if err != nil {
		return err.Error()
	}
	for _, r := range rs {
		fmt.Fprintf(&b, "shard %d %v hard %d %d %d truncated %v applied %v %d %v\n", r.Shard, r.ID,
			r.Hard.GetTerm(), r.Hard.GetVote(), r.Hard.GetCommit(), r.Truncated, r.Applied.Position, r.Applied.Time, r.Applied.Conf.GetVoters())
		var at []core.Position
		if err := d.Scan(r.Shard, func(p core.Position, n int) { at = append(at, p) }); err != nil {
			fmt.Fprintln(&b, err)
		}
		fmt.Fprintln(&b, at)
		if len(at) > 0 {
			es, err := d.Entries(r.Shard, at[0].Index, at[len(at)-1].Index+1, 1<<30)
			fmt.Fprintln(&b, len(es), err)
			for _, e := range es {
				fmt.Fprint(&b, e.GetIndex(), e.GetTerm(), string(e.GetData()), ";")
			}
		}
		for _, e := range entities {
			fmt.Fprintln(&b, e, d.head(r.Shard, e))
			for _, q := range requests {
				fmt.Fprint(&b, past.kept(d.outcome(r.Shard, e, q), r), " ")
			}
		}
		fmt.Fprintln(&b, strings.Join(d.events(r.Shard), ", "))
	}
	return b.String()
}

// twins are the two disks with what a writer knows of them.
type twins struct {
	*testing.T
	rand  *rand.Rand
	model modelDisk
	real  pebbleDisk
	names int
	past  past
	ended map[core.ShardID][]persistence.EventKey // had a mark
}

func newTwins(t *testing.T, seed uint64) *twins {
	tw := &twins{
		T: t, rand: rand.New(rand.NewPCG(seed, 1)), model: modelDisk{model.New(0)}, real: openPebble(t, vfs.NewCrashableMem()),
		ended: map[core.ShardID][]persistence.EventKey{},
		past:  past{made: map[string]core.ShardID{}, future: map[string]bool{}, results: map[string]bool{}},
	}
	for _, s := range shards {
		conf := &pb.ConfState{Voters: []uint64{uint64(persistence.NewReplicaID(1, 1))}}
		tw.both(func(d disk) (any, error) { return d.Create(s, persistence.NewReplicaID(1, 1), conf) })
	}
	return tw
}

// both does the same on both and compares what it returns.
func (tw *twins) both(f func(disk) (any, error)) {
	tw.Helper()
	want, wantErr := f(tw.model)
	got, gotErr := f(tw.real)
	if (wantErr == nil) != (gotErr == nil) {
		tw.Fatalf("model: %v, store: %v", wantErr, gotErr)
	}
	if diff := cmp.Diff(fmt.Sprint(want), fmt.Sprint(got)); diff != "" {
		tw.Fatalf("(-model +store):\n%s", diff)
	}
}

func (tw *twins) compare(what string) {
	tw.Helper()
	for _, s := range shards {
		r, _ := tw.state(s)
		tw.past.age(r)
	}
	if diff := cmp.Diff(look(tw.model, &tw.past), look(tw.real, &tw.past)); diff != "" {
		tw.Fatalf("after %s (-model +store):\n%s", what, diff)
	}
}

// state returns what the model knows of a shard.
func (tw *twins) state(s core.ShardID) (r core.Replica, last uint64) {
	rs, err := tw.model.Replicas()
	if err != nil {
		tw.Fatal(err)
	}
	i := slices.IndexFunc(rs, func(r core.Replica) bool { return r.Shard == s })
	last = rs[i].Truncated.Index
	tw.model.Scan(s, func(p core.Position, _ int) { last = p.Index })
	return rs[i], last
}

// step does one random write.
func (tw *twins) step() string {
	s := shards[tw.rand.IntN(len(shards))]
	r, last := tw.state(s)
	switch n := tw.rand.IntN(22); {
	case n < 9:
		return tw.append(s, r, last)
	case n < 16:
		return tw.apply(s, r, last)
	case n < 18 && tw.model.Flushed(s) > r.Truncated.Index:
		to := core.Position{Index: tw.model.Flushed(s), Term: r.Applied.Term}
		sync := tw.rand.IntN(2) == 0
		tw.both(func(d disk) (any, error) {
			return nil, d.Append([]core.LogWrite{{Shard: s, Truncate: to}}, sync)
		})
		return "truncation"
	case n < 19:
		tw.install(s, r)
		return "installation"
	case n < 21:
		tw.both(func(d disk) (any, error) { return nil, d.flush(s) })
		return "flush"
	}
	return "nothing"
}

func (tw *twins) append(s core.ShardID, r core.Replica, last uint64) string {
	first := last + 1
	if last > r.Applied.Index && tw.rand.IntN(3) == 0 {
		first = r.Applied.Index + 1 + tw.rand.Uint64N(last-r.Applied.Index)
	}
	w := core.LogWrite{Shard: s}
	term := r.Hard.GetTerm() + tw.rand.Uint64N(2)
	for i := range tw.rand.Uint64N(5) {
		w.Entries = append(w.Entries, &pb.Entry{Index: new(first + i), Term: new(term), Data: fmt.Append(nil, tw.rand.Uint32())})
	}
	if tw.rand.IntN(2) == 0 {
		w.Hard = &pb.HardState{Term: new(term), Vote: new(tw.rand.Uint64N(3)), Commit: new(r.Applied.Index)}
	}
	sync := tw.rand.IntN(2) == 0
	tw.both(func(d disk) (any, error) { return nil, d.Append([]core.LogWrite{w}, sync) })
	return "append"
}

func (tw *twins) apply(s core.ShardID, r core.Replica, last uint64) string {
	var cs []core.Change
	at := r.Applied
	for i := r.Applied.Index + 1; i <= last && len(cs) < 3; i++ {
		c := core.Change{Shard: s, Position: core.Position{Index: i, Term: r.Hard.GetTerm()}}
		if len(cs) == 0 && tw.rand.IntN(8) == 0 { // the shard time is set back, or on
			at.Time += 60_000
			at.Time -= min(at.Time, tw.rand.Uint64N(180_000))
			c.Reset, c.Time = true, at.Time
			tw.past.setBack(r, at.Time)
			cs = append(cs, c)
			break
		}
		if commits := tw.rand.IntN(4); commits > 0 {
			at.Time += tw.rand.Uint64N(uint64(commits) * 30_000)
			c.Time = at.Time
			for range commits {
				c.Commits = append(c.Commits, tw.commit(s, c.Time))
			}
			if tw.rand.IntN(2) == 0 {
				c.Commits = append(c.Commits, tw.marks(s)...)
			}
		}
		if tw.rand.IntN(5) == 0 {
			c.Conf = &pb.ConfState{Voters: []uint64{i}}
		}
		cs = append(cs, c)
	}
	tw.both(func(d disk) (any, error) { return d.Apply(cs) })
	return "apply"
}

func (tw *twins) commit(s core.ShardID, now uint64) persistence.Commit {
	e := entities[tw.rand.IntN(len(entities))]
	h, _ := tw.model.Head(s, e)
	c := persistence.Commit{Entity: e, BaseRev: h.Rev, State: fmt.Append(nil, tw.rand.Uint32())}
	c.Puts = []persistence.Record{{Part: "part", Value: c.State}}
	if h.Rev > 0 && tw.rand.IntN(5) == 0 {
		c.Remove, c.State, c.Puts = true, nil, nil
		c.Forget = tw.rand.IntN(2) == 0
	}
	for range tw.rand.IntN(3) {
		c.Events = append(c.Events, tw.event())
	}
	request := requests[tw.rand.IntN(len(requests))]
	if _, answered := tw.model.Outcome(s, e, request, 1); !answered && tw.rand.IntN(2) == 0 {
		result := fmt.Sprintf("%d at %d", tw.rand.Uint32(), now)
		tw.past.made[result] = s
		c.Outcomes = append(c.Outcomes, persistence.Outcome{Request: request, Step: 1, Result: []byte(result)})
	}
	return c
}

func (tw *twins) event() persistence.Event {
	return persistence.Event{Receiver: 1 + tw.rand.Uint64N(3), Body: fmt.Append(nil, tw.rand.Uint32())}
}

// marks are those of events and dead letters, some of which do not exist any more, twice the
// same ones: the second commit finds what the first has left.
func (tw *twins) marks(s core.ShardID) []persistence.Commit {
	var c, again persistence.Commit
	for _, space := range []byte{persistence.EventQueue, persistence.EventDead} {
		for _, k := range append(tw.model.Events(s, space), tw.ended[s]...) {
			m := persistence.Mark{Key: k, Fate: persistence.Fate(tw.rand.IntN(3))}
			if m.Fate != persistence.Delivered {
				m.Body = fmt.Append(nil, tw.rand.Uint32())
			}
			if tw.rand.IntN(4) == 0 {
				c.Marks = append(c.Marks, m)
				tw.ended[s] = append(tw.ended[s][:min(len(tw.ended[s]), 4)], k)
			}
		}
	}
	if len(c.Marks) == 0 {
		return nil
	}
	again.Marks = c.Marks
	c.Events = append(c.Events, tw.event())
	return []persistence.Commit{c, again}
}

// past is what may be forgotten: results that were later than the time to which
// their shard was set back, and those that were over before.
type past struct {
	made    map[string]core.ShardID
	future  map[string]bool
	results map[string]bool
}

// setBack takes note that a shard's time is about to be set back.
func (p *past) setBack(r core.Replica, to uint64) {
	for result, s := range p.made {
		if _, at, _ := parse(result); s == r.Shard && at > to {
			p.future[result] = true
		}
	}
}

// age takes note of what is over in a shard.
func (p *past) age(r core.Replica) {
	for result, s := range p.made {
		if s == r.Shard {
			p.kept(result, r)
		}
	}
}

func parse(result string) (random, at uint64, ok bool) {
	_, err := fmt.Sscanf(result, "%d at %d", &random, &at)
	return random, at, err == nil
}

// kept hides results that are older than the window, even if they are not any
// more because the time was set back, and those that were in the future then: it
// is left to the disk when it forgets them.
func (p *past) kept(result string, r core.Replica) string {
	now, window := r.Applied.Time, uint64(persistence.OutcomeWindow.Milliseconds())
	_, at, ok := parse(result)
	if !ok || at+window <= now || p.future[result] {
		p.results[result] = true
	}
	if p.results[result] {
		return "-"
	}
	return result
}

// install exports one shard's state and installs it in the other shard's place
// in the log, as from a replica that is ahead.
func (tw *twins) install(s core.ShardID, r core.Replica) {
	tw.names++
	name := fmt.Sprint("snap", tw.names)
	image, err := tw.model.Export(s)
	if err != nil {
		tw.Fatal(err)
	}
	if _, err := tw.real.Export(s, name); err != nil {
		tw.Fatal(err)
	}
	image.Applied.Index += 10
	tw.model.Receive(name, image)
	in := core.Install{
		Shard:    s,
		Snapshot: &pb.Snapshot{Data: []byte(name), Metadata: image.Metadata()},
		Hard:     &pb.HardState{Term: new(r.Hard.GetTerm() + 1), Vote: new(uint64(0)), Commit: new(image.Applied.Index)},
		Entries:  []*pb.Entry{{Index: new(image.Applied.Index + 1), Term: new(r.Hard.GetTerm() + 1)}},
	}
	tw.both(func(d disk) (any, error) { a, err := d.Install(in); return a.Position, err })
}

// crash loses some of what was not synced. The store must then look like the
// model with one of the beginnings that it may keep.
func (tw *twins) crash() {
	clear(tw.ended) // their sequences may be those of other events now
	percent := []int{0, 50, 100}[tw.rand.IntN(3)]
	clone := tw.real.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: tw.rand})
	if err := tw.real.store.Close(); err != nil {
		tw.Fatal(err)
	}
	tw.real = openPebble(tw.T, clone)
	got := look(tw.real, &tw.past)
	for keep := range tw.model.Unsynced() + 1 {
		m := tw.model.Clone()
		m.Crash(keep)
		if look(modelDisk{m}, &tw.past) == got {
			tw.model = modelDisk{m}
			return
		}
	}
	tw.Fatalf("after a crash with %d%% of what was not synced the store is like no beginning of the %d writes:\n%s\nmodel with all:\n%s", percent, tw.model.Unsynced(), got, look(tw.model, &tw.past))
}

func TestStoreIsLikeTheModel(t *testing.T) {
	seeds := uint64(12)
	if os.Getenv("SSOD_LONG") != "" {
		seeds = 2000
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			tw := newTwins(t, seed)
			for range 60 {
				tw.compare(tw.step())
				if tw.rand.IntN(12) == 0 {
					tw.crash()
				}
			}
		})
	}
}
