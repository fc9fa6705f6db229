package placement

import (
	"context"
	"errors"
	"time"

	"ssod/cluster"
	"ssod/cluster/plan"
)

// load measures the load of the shards that this node leads and, on the leader of the meta
// shard, moves leads because of it.
type load struct {
	rates  plan.Rates  // of the announcer
	relief plan.Relief // of the planner
}

// Served sets how requests are counted: count is how many this node has served for a shard
// since it was started.
func (p *Placement) Served(count func(cluster.ShardID) uint64) { p.served.Store(&count) }

// measureLoad measures the load of the shards that this node leads. Only the announcer uses
// it.
func (p *Placement) measureLoad(now time.Time) {
	count := p.served.Load()
	if count == nil {
		return
	}
	counts := make([]uint64, p.engine.Count()+1)
	for id := range counts {
		counts[id] = (*count)(cluster.ShardID(id))
	}
	p.rates.Store(new(p.load.rates.Count(now, counts)))
}

// rate is the recent load of a shard on this node, in requests per second.
func (p *Placement) rate(id cluster.ShardID) float64 {
	if rates := p.rates.Load(); rates != nil {
		return (*rates)[id]
	}
	return 0
}

// serving is the leader and the load of each shard as announced lately; false if some are
// unknown.
func (p *Placement) serving(contents *contents) (s plan.Served, known bool) {
	for id := range cluster.ShardID(p.engine.Count() + 1) {
		owner, ok := p.view.Owner(id)
		n, member := p.registry.At(owner.Address)
		rate := p.rate(id)
		if n.ID != p.self {
			var told bool
			rate, told = p.view.rateOf(id, n.ID)
			ok = ok && told
		}
		if !ok || !member {
			return s, false
		}
		s.Leaders, s.Rates = append(s.Leaders, n.ID), append(s.Rates, rate)
	}
	s.May = func(n NodeID) bool {
		return contents.nodes[n].State == NodeState_ACTIVE && p.Alive(n) && (n == p.self && !p.declines() || n != p.self && p.view.willing(n))
	}
	return s, true
}

// relieve moves a lead if that balances load.
func (l *planner) relieve(ctx context.Context) error {
	contents, now := l.p.registry.contents.Load(), time.Now()
	s, known := l.p.serving(contents)
	if !known || len(contents.shards) != len(s.Leaders) {
		return nil
	}
	shard, to, ok := l.p.load.relief.Next(now, contents.shards, s)
	if !ok {
		return nil
	}
	puts := map[string][]byte{shardKey(shard): encodeAssignment(contents.shards[shard].LedBy(to))}
	if err := l.p.tables.Update(ctx, shardsTable, contents.mapped, puts, nil); err != nil && !errors.Is(err, cluster.ErrUnknown) {
		return err
	}
	l.p.load.relief.Moved(now)
	l.p.cfg.Log.Info("the lead of a shard moves to another node because of load", "shard", shard, "node", contents.nodes[to].Name,
		"was", contents.nodes[contents.shards[shard].Preferred].Name, "requests_per_second", int(s.Rates[shard]))
	return nil
}
