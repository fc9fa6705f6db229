package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"ssod/bench/loadgen"
	"ssod/bench/paired"
	"ssod/bench/process"
)

// hop in --only is what a hop of a refresh costs.
const hop = "hop"

// What is compared.
const (
	oneByOlder      = "one node / older one node"
	threeByOlder    = "three nodes / older three nodes"
	threeByOneOlder = "three nodes / older one node"
	threeByOne      = "three nodes / one node"
	hopByOlder      = "hop of a refresh / older hop"
	fiveByThree     = "five nodes / three nodes"
)

// wanted says which operations are compared at how many connections.
type wanted func(operation string, connections int) bool

// everything is wanted.
func everything(string, int) bool { return true }

// duel compares this build with an older one.
type duel struct {
	*clusterCommand
	plan        paired.Plan
	wanted      wanted
	this, older *clusterBench
	report      *DuelReport
}

// duel starts both builds as far as the parts need them and adds their comparison to a
// report.
func (c *clusterCommand) duel(ctx context.Context, r *DuelReport, what wanted, parts ...func(*duel, context.Context) error) (err error) {
	dir, err := os.MkdirTemp("", "ssobench-")
	if err != nil {
		return err
	}
	older := *c
	older.Ssod = filepath.Join(c.Against, "ssod")
	d := &duel{
		clusterCommand: c, plan: paired.Plan{Pairs: c.Pairs, Others: c.Others / 100}, report: r,
		this: c.newBench(filepath.Join(dir, "this")), older: older.newBench(filepath.Join(dir, "older")),
		wanted: func(operation string, connections int) bool {
			return what(operation, connections) && (len(c.Only) == 0 || slices.Contains(c.Only, operation))
		},
	}
	defer func() { err = errors.Join(err, d.this.kill(), d.older.kill(), os.RemoveAll(dir)) }()
	for _, b := range d.builds() {
		if err := os.Mkdir(b.dir, 0o700); err != nil {
			return err
		}
	}
	for _, part := range parts {
		if err := part(d, ctx); err != nil {
			return err
		}
	}
	return nil
}

func (d *duel) builds() []*clusterBench { return []*clusterBench{d.this, d.older} }

// place is where requests are sent to.
type place struct {
	name string
	*side
	to server
}

// places gives each place what runs beside it.
func places(all ...place) []place {
	for i := range all {
		all[i].to.beside = nil
		for _, other := range all {
			if other.side != all[i].side {
				all[i].to.beside = append(all[i].to.beside, other.to.processes...)
			}
		}
		slices.SortFunc(all[i].to.beside, func(a, b *process.Process) int { return a.ID() - b.ID() })
		all[i].to.beside = slices.Compact(all[i].to.beside) // several places may share a side
	}
	return all
}

// measure measures one slice at a place.
func (p place) measure(ctx context.Context, connections int, src loadgen.Source) (paired.Slice, error) {
	got, err := p.cost(ctx, p.to, connections, src)
	if errors.Is(err, errNothing) {
		return paired.Slice{Cost: math.NaN()}, nil
	}
	if err != nil {
		return paired.Slice{}, fmt.Errorf("%s: %w", p.name, err)
	}
	return paired.Slice{Cost: float64(got.cpu()), Others: got.others}, nil
}

// measureHops measures what a hop costs both nodes: it compares requests to the node that
// owns nothing with the same ones to the owner.
func (d *duel) measureHops(ctx context.Context) error {
	for _, b := range d.builds() {
		if err := b.startTwo(ctx); err != nil {
			return err
		}
	}
	this, older := d.this.several, d.older.several
	at := places(
		place{"this build at the owner", this, this.through(this.nodes[0])},
		place{"this build, one hop", this, this.through(this.nodes[1])},
		place{"the older build at the owner", older, older.through(older.nodes[0])},
		place{"the older build, one hop", older, older.through(older.nodes[1])},
	)
	for _, connections := range d.Connections {
		if !d.wanted(hop, connections) {
			continue
		}
		rounds, err := d.plan.Run(len(at), func(i int) (paired.Slice, error) {
			return at[i].measure(ctx, connections, &refresher{members: at[i].members})
		})
		if err != nil {
			return err
		}
		d.report.add(hopByOlder, hop, connections, d.plan.Compare(rounds, func(r paired.Round) (float64, float64) {
			return r[1].Cost - r[0].Cost, r[3].Cost - r[2].Cost
		}))
	}
	return nil
}

// measureOperations compares every operation on one node and on three.
func (d *duel) measureOperations(ctx context.Context) error {
	if !d.wantsOperations() {
		return nil
	}
	for _, b := range d.builds() {
		if err := b.startAlone(ctx); err != nil {
			return err
		}
		if err := b.growToThree(ctx); err != nil {
			return err
		}
	}
	at := places(
		place{"this build, " + onOne, d.this.alone, d.this.alone.service},
		place{"the older build, " + onOne, d.older.alone, d.older.alone.service},
		place{"this build, " + onThree, d.this.several, d.this.several.service},
		place{"the older build, " + onThree, d.older.several, d.older.several.service},
	)
	return d.compareAt(ctx, at, pair{oneByOlder, 0, 1}, pair{threeByOlder, 2, 3}, pair{threeByOneOlder, 2, 1}, pair{threeByOne, 2, 0})
}

// pair is two places that are compared, by number.
type pair struct {
	what       string
	one, other int
}

// compareAt measures the operations at places and compares pairs of these.
func (d *duel) compareAt(ctx context.Context, at []place, pairs ...pair) error {
	for _, connections := range d.Connections {
		rounds, err := d.rounds(ctx, at, connections)
		for _, operation := range operations {
			got := rounds[operation] // of a run that was cut short: what there is
			for i := 0; len(got) > 0 && i < len(pairs); i++ {
				d.report.add(pairs[i].what, operation, connections, d.plan.Compare(got, paired.Between(pairs[i].one, pairs[i].other)))
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// operations are those that are compared.
var operations = []string{refresh, list, mint, link, redeem, unlink}

func (d *duel) wantsOperations() bool {
	return slices.ContainsFunc(d.Connections, func(connections int) bool {
		return slices.ContainsFunc(operations, func(o string) bool { return d.wanted(o, connections) })
	})
}

// rounds measures the operations at all places, each in turn, until there are enough
// rounds of every one. It returns them by operation, also after an error.
func (d *duel) rounds(ctx context.Context, at []place, connections int) (map[string][]paired.Round, error) {
	all := map[string][]paired.Round{}
	for _, operation := range operations {
		if d.wanted(operation, connections) {
			all[operation] = nil
		}
	}
	enough := func() bool {
		for _, rounds := range all {
			if !d.plan.Enough(rounds) {
				return false
			}
		}
		return true
	}
	for n := 0; !enough(); n++ {
		if err := d.round(ctx, at, connections, n, all); err != nil {
			return all, err
		}
	}
	return all, nil
}

// round measures each operation once at each place.
func (d *duel) round(ctx context.Context, at []place, connections, n int, all map[string][]paired.Round) error {
	turns := make([][]operation, len(at))
	for i, p := range at {
		// A few links per round: each member may have some codes only.
		links := &linker{members: p.members, sent: p.linked, limit: p.linked + min(enough, len(p.members))}
		p.linked = links.limit
		turns[i] = p.operations(links, fmt.Sprint("duel-", connections, "-", n))
	}
	for k, o := range turns[0] {
		if err := ctx.Err(); err != nil {
			return err
		}
		round := make(paired.Round, len(at))
		for _, i := range paired.Order(n, len(at)) {
			at[i].Connections = max(connections, supplying)
			if err := turns[i][k].prepare(); err != nil {
				return fmt.Errorf("%s: %s: %w", at[i].name, o.name, err)
			}
			if _, ok := all[o.name]; !ok {
				continue
			}
			var err error
			if round[i], err = at[i].measure(ctx, connections, turns[i][k].src); err != nil {
				return fmt.Errorf("%s: %w", o.name, err)
			}
		}
		if _, ok := all[o.name]; ok {
			all[o.name] = append(all[o.name], round)
		}
	}
	return nil
}

// supplying is how many connections at least make what a slice works on.
const supplying = 64
