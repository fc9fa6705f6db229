package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// marksCommand measures only what has a mark: the costs on one node, on three and of a hop
// compared with an older build; three idle nodes, several times; five nodes compared with
// three.
type marksCommand struct {
	Ssod     string        `default:"bin/ssod" placeholder:"FILE" help:"The service to start on empty directories."`
	Against  string        `required:"" placeholder:"DIR" type:"existingdir" help:"Directory with the programs of the older build; see make reference."`
	Parts    []string      `default:"costs,idle,five" enum:"costs,idle,five" help:"What is measured: costs, idle, five."`
	Only     []string      `placeholder:"ROW,..." help:"Of the costs these operations only."`
	Pairs    int           `default:"15" help:"Rounds of a comparison; more are tried when others spoil some."`
	Others   float64       `default:"10" help:"Drop rounds in which other processes had more of the machine, in percent."`
	Slice    time.Duration `default:"2s" help:"Measured time per slice."`
	Warm     time.Duration `default:"200ms" help:"Unmeasured time before each slice."`
	Members  int           `default:"40000" help:"Viewers with one device each, on every side."`
	Profiles int           `default:"100000" help:"Viewers that the idle cluster knows."`
	Calm     time.Duration `default:"70s" help:"How long there are no requests before a cluster counts as idle: entities leave memory after a minute."`
	Idle     time.Duration `default:"1m" help:"For how long the idle cluster is watched."`
	Times    int           `default:"3" help:"How often in a row it is watched."`
	JSON     string        `placeholder:"FILE" help:"Also write the comparisons here."`
	Strict   bool          `help:"Exit 1 when a mark is missed."`
}

// markedConnections are those of the marks.
var markedConnections = []int{16, 64, 512}

func (m *marksCommand) Run(ctx context.Context) error {
	c := &clusterCommand{
		Ssod: m.Ssod, Against: m.Against, Connections: markedConnections, Realms: 4, Clients: 4, Members: m.Members,
		Slice: m.Slice, Warm: m.Warm, Pairs: m.Pairs, Others: m.Others, Only: m.Only, Calm: m.Calm, Idle: m.Idle,
	}
	report, passed := newDuelReport(c), true
	for _, part := range m.Parts {
		var err error
		switch part {
		case "costs":
			err = c.compare(ctx, &report)
		case "five":
			err = c.compareFive(ctx, &report)
		case "idle":
			var quiet bool
			quiet, err = c.idleTimes(ctx, m.Profiles, m.Times)
			passed = passed && quiet
		}
		if err != nil {
			report.print(os.Stdout) // what was measured by then
			return fmt.Errorf("%s: %w", part, err)
		}
	}
	err := report.publish(m.JSON, m.Strict)
	if m.Strict && !passed {
		err = errors.Join(err, errMissed)
	}
	return err
}

// compare measures the costs that have a mark.
func (c *clusterCommand) compare(ctx context.Context, r *DuelReport) error {
	return c.duel(ctx, r, marked, (*duel).measureHops, (*duel).measureOperations)
}

// compareFive compares five nodes of this build with three of it.
func (c *clusterCommand) compareFive(ctx context.Context, r *DuelReport) error {
	return c.duel(ctx, r, func(operation string, connections int) bool {
		_, ok := markOf(fiveByThree, operation, connections)
		return ok
	}, (*duel).measureFive)
}

// measureFive lets the side of the older build be five nodes of this one.
func (d *duel) measureFive(ctx context.Context) error {
	d.older.Ssod = d.this.Ssod
	for _, b := range d.builds() {
		if err := b.startTwo(ctx); err != nil {
			return err
		}
		if err := b.growToThree(ctx); err != nil {
			return err
		}
	}
	if err := d.older.grow(ctx, 5, 5); err != nil {
		return err
	}
	three, five := d.this.several, d.older.several
	at := places(place{onThree, three, three.service}, place{"five nodes", five, five.service})
	return d.compareAt(ctx, at, pair{fiveByThree, 1, 0})
}

// idleTimes watches three idle nodes several times.
func (c *clusterCommand) idleTimes(ctx context.Context, profiles, times int) (passed bool, err error) {
	dir, err := os.MkdirTemp("", "ssobench-")
	if err != nil {
		return false, err
	}
	known := *c
	known.Members = profiles
	b := known.newBench(dir)
	defer func() { err = errors.Join(err, b.kill(), os.RemoveAll(dir)) }()
	if err := b.startTwo(ctx); err != nil {
		return false, err
	}
	if err := b.growToThree(ctx); err != nil {
		return false, err
	}
	var rows []IdleRow
	for range times {
		if err := b.watchIdle(ctx); err != nil {
			return false, err
		}
		row := judgeIdle(b.idle)
		row.print(os.Stdout)
		rows = append(rows, row)
		b.Calm = 0 // they have been idle since
	}
	return !slices.ContainsFunc(rows, func(r IdleRow) bool { return !r.Passed }), nil
}
