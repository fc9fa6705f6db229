package degradation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"ssod/cluster"
	"ssod/httpfront/config"
)

// Tables are the tables of the meta shard; [meta.Store] is one.
type Tables interface {
	Records(table string) (records iter.Seq2[string, []byte], revision uint64)
	Revision(table string) uint64
	// Update fails with [cluster.ErrRejected] when the table has another revision.
	Update(ctx context.Context, table string, revision uint64, puts map[string][]byte, deletes []string) error
	Watch(table string, f func()) (stop func())
}

// Options is what [Rules] need.
type Options struct {
	Tables   Tables
	Settings func() *config.Config
	// Leads reports whether this node leads the meta shard: it deletes what has ended.
	Leads func() bool
	// Ready is an error, an [ErrNotNow], as long as no rule can be set.
	Ready func() error
	// Time is what the cluster takes a time of this node's clock for. Nodes agree on it as
	// far as their clocks can be compared.
	Time func(at time.Time) time.Time
	// Tell receives each notice on the node that leads the meta shard, in order, and again
	// if it fails or the lead changes meanwhile. Nil: nobody wants them.
	Tell func(ctx context.Context, n Notice) error
	Now  func() time.Time // nil means time.Now
	Log  *slog.Logger     // nil means slog.Default
}

// Rules are the rules set at run time. They are safe for concurrent use.
type Rules struct {
	Options
	current atomic.Pointer[table]
	reading sync.Mutex // held to replace current
}

// Open returns the rules as they are stored.
func Open(o Options) (*Rules, error) {
	o.Now, o.Log = orNow(o.Now), cmp.Or(o.Log, slog.Default())
	r := &Rules{Options: o}
	t, err := readTable(o.Tables)
	if err != nil {
		return nil, err
	}
	r.current.Store(t)
	return r, nil
}

func orNow(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}

// table is the table as it is now. A watch would not do: it is called when a change may
// have been acknowledged already.
func (r *Rules) table() *table {
	if t := r.current.Load(); t.revision == r.Tables.Revision(tableName) {
		return t
	}
	r.reading.Lock()
	defer r.reading.Unlock()
	old := r.current.Load()
	if old.revision == r.Tables.Revision(tableName) {
		return old
	}
	next, err := readTable(r.Tables)
	if err != nil {
		r.Log.Error("the rules of degradation cannot be read; those of before count", "error", err)
		next = &table{revision: next.revision, rules: old.rules, notices: old.notices}
	}
	r.current.Store(next)
	return next
}

// View are the rules at one moment, with those of the configuration file. The zero View has
// only the latter.
type View struct {
	table *table
	now   time.Time
}

// At are the rules that count for what came at a time of this node's clock.
func (r *Rules) At(received time.Time) View {
	t := r.table()
	if len(t.rules) == 0 {
		return View{}
	}
	return View{t, r.Time(received)}
}

// Rule is the rule between a service provider of the realm and an MVPD; empty: none.
func (v View) Rule(realm *config.Realm, serviceProvider, mvpd string) string {
	if v.table != nil {
		if rule, ok := v.table.rules[Pair{serviceProvider, mvpd}]; ok && rule.counts(v.now) {
			return rule.Rule
		}
	}
	return realm.Rule(serviceProvider, mvpd)
}

// doubt is how much later than [MaxFor] a rule may seem to end, by clocks that differ.
const doubt = time.Minute

// counts reports whether a rule has not ended. One that would end later than any that can
// be set comes from a clock that was wrong.
func (r *Rule) counts(now time.Time) bool {
	return now.Before(r.Until) && r.Until.Sub(now) <= MaxFor+doubt
}

// List are the rules that count now, in order of service provider and MVPD.
func (r *Rules) List() []Rule {
	t, now := r.table(), r.Time(r.Now())
	var all []Rule
	for _, rule := range t.sorted() {
		if rule.counts(now) {
			all = append(all, *rule)
		}
	}
	return all
}

// Set sets a rule in place of the one that the pair has. Every node that is reached has it
// when Set returns. It fails with [ErrOrder], [ErrNotNow] or [ErrFull] and then, or with
// [cluster.ErrRefused], has changed nothing; or with [cluster.ErrUnknown].
func (r *Rules) Set(ctx context.Context, o Order) (Rule, error) {
	if err := o.check(r.Settings()); err != nil {
		return Rule{}, err
	}
	if err := r.Ready(); err != nil {
		return Rule{}, err
	}
	now := r.Time(r.Now()).Truncate(time.Millisecond)
	rule := Rule{Pair: o.Pair, ID: newID(), Rule: o.Rule, Set: now, Until: now.Add(o.For), By: o.By}
	err := r.change(ctx, func(t *table, c *change) error {
		was, replaces := t.rules[o.Pair]
		if !replaces && len(t.rules) >= MaxRules {
			return fmt.Errorf("%w: %d", ErrFull, len(t.rules))
		}
		if replaces {
			c.end(was, now, Replaced, o.By)
		}
		c.set(&rule)
		return nil
	})
	return rule, err
}

// Off ends the rule of a pair; false: there is none. It fails as [Rules.Set] does.
func (r *Rules) Off(ctx context.Context, p Pair, by string) (was bool, err error) {
	now := r.Time(r.Now()).Truncate(time.Millisecond)
	err = r.change(ctx, func(t *table, c *change) error {
		rule, ok := t.rules[p]
		if was = ok && rule.counts(now); ok {
			c.end(rule, now, Off, by)
			return nil
		}
		return known(r.Settings(), p)
	})
	return was, err
}

// change decides on the newest table and changes it, again if another node was faster.
func (r *Rules) change(ctx context.Context, decide func(*table, *change) error) error {
	for {
		t, err := readTable(r.Tables)
		if err != nil {
			return err
		}
		c := change{puts: map[string][]byte{}}
		if err := decide(t, &c); err != nil {
			return err
		}
		if c.empty() {
			return nil
		}
		err = errors.Join(c.err, ctx.Err())
		if err == nil {
			err = r.Tables.Update(ctx, tableName, t.revision, c.puts, c.deletes)
		}
		if !errors.Is(err, cluster.ErrRejected) {
			return err
		}
	}
}
