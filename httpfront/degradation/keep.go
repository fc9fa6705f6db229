package degradation

import (
	"context"
	"time"

	"ssod/httpfront/config"
)

// Reason is why a rule ended.
type Reason string

// The reasons.
const (
	Over     Reason = "over"     // its time is over
	Off      Reason = "off"      // an operator ended it
	Replaced Reason = "replaced" // an operator set another one in its place
)

// Notice says that a rule was set or has ended.
type Notice struct {
	Rule  Rule
	At    time.Time
	Ended Reason // empty: it was set
	By    string // who did that; empty: its time was over
}

// Event is what happened, as audit lines and events name it.
func (n *Notice) Event() string {
	if n.Ended == "" {
		return "degradation.set"
	}
	return "degradation.ended"
}

// ID names the notice: it is the same whenever and wherever it is told.
func (n *Notice) ID() string { return n.Rule.ID + "." + n.Event() }

// keepPace is how often the leader looks for what has ended, and tries to tell again.
const keepPace = time.Second

// maxNotices is how many notices wait at most while they cannot be told; then the oldest go.
const maxNotices = 1000

// Keep deletes rules that have ended and tells what happened, as long as this node leads
// the meta shard, until ctx ends.
func (r *Rules) Keep(ctx context.Context) {
	news := make(chan struct{}, 1)
	stop := r.Tables.Watch(tableName, func() {
		select {
		case news <- struct{}{}:
		default:
		}
	})
	defer stop()
	pace := time.NewTicker(keepPace)
	defer pace.Stop()
	for {
		if r.Leads() {
			if err := r.keepUp(ctx); err != nil && ctx.Err() == nil {
				r.Log.Debug("rules of degradation are not tidied yet", "error", err)
			}
		}
		select {
		case <-news:
		case <-pace.C:
		case <-ctx.Done():
			return
		}
	}
}

// keepUp does what there is to do now.
func (r *Rules) keepUp(ctx context.Context) error {
	if t := r.table(); len(t.rules) == 0 && len(t.notices) == 0 {
		return nil
	}
	if err := r.endOver(ctx); err != nil {
		return err
	}
	return r.tell(ctx)
}

// endOver deletes the rules that have ended.
func (r *Rules) endOver(ctx context.Context) error {
	now := r.Time(r.Now()).Truncate(time.Millisecond)
	return r.change(ctx, func(t *table, c *change) error {
		for _, rule := range t.sorted() {
			if !rule.counts(now) {
				c.end(rule, now, Over, "")
			}
		}
		return nil
	})
}

// tell passes the notices on, and deletes those that got there.
func (r *Rules) tell(ctx context.Context) error {
	var told []string
	var failed error
	notices := r.table().notices
	for i := range notices {
		n := &notices[i]
		if failed = r.tellOne(ctx, &n.Notice); failed != nil && len(notices)-i <= maxNotices {
			break
		}
		told = append(told, n.key)
	}
	if len(told) == 0 {
		return failed
	}
	err := r.change(ctx, func(t *table, c *change) error {
		for _, n := range t.notices {
			for _, key := range told {
				if n.key == key {
					c.deletes = append(c.deletes, key)
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return failed
}

// tellOne writes the audit line of a notice, once it has got where it is wanted.
func (r *Rules) tellOne(ctx context.Context, n *Notice) error {
	if r.Tell != nil {
		if err := r.Tell(ctx, *n); err != nil {
			return err
		}
	}
	line := []any{
		"audit", true, "who", n.By, "what", n.Event(), "serviceProvider", n.Rule.ServiceProvider, "mvpd", n.Rule.MVPD,
		"rule", n.Rule.Rule, "rule_id", n.Rule.ID, "at", n.At, "until", n.Rule.Until,
	}
	if n.Ended != "" {
		line = append(line, "why", string(n.Ended), "set", n.Rule.Set, "set_by", n.Rule.By)
	}
	r.Log.InfoContext(ctx, "degradation", line...)
	return nil
}

// Count is how many rules count now, by rule: those set at run time, and those of the file
// that none of them beats.
func (r *Rules) Count() (runtime, file map[string]int) {
	runtime, file = map[string]int{}, map[string]int{}
	beaten := map[Pair]bool{}
	for _, rule := range r.List() {
		runtime[rule.Rule]++
		beaten[rule.Pair] = true
	}
	for _, rule := range Filed(r.Settings()) {
		if !beaten[rule.Pair] {
			file[rule.Rule]++
		}
	}
	return runtime, file
}

// Filed are the rules of the configuration file.
func Filed(cfg *config.Config) (all []Rule) {
	for _, realm := range cfg.Realms {
		for _, d := range realm.Degradation {
			all = append(all, Rule{Pair: Pair{d.ServiceProvider, d.MVPD}, Rule: d.Rule})
		}
	}
	return all
}
