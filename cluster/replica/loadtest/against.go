package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"ssod/bench/paired"
	"ssod/bench/process"
)

// fewest is how many commits a slice must have to say something.
const fewest = 100

// errNoFresh: an older loadtest commits to the same entities again and again.
var errNoFresh = errors.New("the other program founds no entities: it does not know --fresh")

// duel is two trios that are measured in turn.
type duel struct {
	*cli
	trios   [2]trio  // this build, the other one
	tallies [2]tally // what their slices showed together
}

// compare measures this build beside another one, or beside the floor.
func (c *cli) compare(out io.Writer, dir string) (err error) {
	this, err := os.Executable()
	if err != nil {
		return err
	}
	other, what := c.Against, c.Against
	if c.Floor {
		other, what = this, "the floor"
	}
	d := &duel{cli: c}
	defer func() { err = errors.Join(err, d.trios[0].stop(), d.trios[1].stop()) }()
	for i, program := range []string{this, other} {
		s := setup{Dir: filepath.Join(dir, fmt.Sprint(i)), Shards: c.Shards, Floor: i == 1 && c.Floor}
		if err := os.Mkdir(s.Dir, 0o700); err != nil {
			return err
		}
		if d.trios[i], err = startTrio(program, s, c.Plain); err != nil {
			return err
		}
		// That of 1c60b06 records nothing before it has measured something.
		if _, err = d.trios[i].each(func(int) order { return order{Phase: "idle"} }); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "this build against %s: %d shards, %d bytes, TLS %v\n", what, c.Shards, c.Size, !c.Plain)
	for _, o := range c.rows() {
		if err := d.row(out, o); err != nil {
			return err
		}
	}
	return nil
}

// rows are the loads that are compared.
func (c *cli) rows() (all []order) {
	for _, n := range c.Proposers {
		o := order{Phase: fmt.Sprintf("commits of %d callers", n), Warm: c.Settle, For: c.Slice, Proposers: n, Size: c.Size, Fresh: c.Fresh}
		switch {
		case c.Reads:
			o.Phase, o.Proposers, o.Readers = fmt.Sprintf("barriers of %d callers", n), 0, n
		case c.Fresh:
			o.Phase = fmt.Sprintf("commits of %d callers that found entities", n)
		}
		all = append(all, o)
	}
	return all
}

// row compares one load.
func (d *duel) row(out io.Writer, o order) error {
	d.tallies = [2]tally{newTally(), newTally()}
	plan := paired.Plan{Pairs: d.Pairs, Others: d.Others / 100}
	pairs, err := plan.Run(len(d.trios), func(i int) (paired.Slice, error) { return d.slice(o, i) })
	if err != nil {
		return fmt.Errorf("%s: %w", o.Phase, err)
	}
	ratio := plan.Compare(pairs, paired.Between(0, 1))
	fmt.Fprintf(out, "\n%s: CPU of each %v%s\n", o.Phase, ratio, d.verdict(o, ratio.Median))
	writeTallies(out, &d.tallies[0], &d.tallies[1])
	return nil
}

// The most that a commit may cost beside one of the build of 1c60b06, by the number
// of callers, and where it founds an entity.
var (
	mostCommit = map[int]float64{64: 0.60, 512: 0.65}
	mostFresh  = map[int]float64{64: 0.80, 512: 0.80}
)

// verdict says whether a mark was reached; nothing where there is none.
func (d *duel) verdict(o order, ratio float64) string {
	marks := mostCommit
	if o.Fresh {
		marks = mostFresh
	}
	most, ok := marks[o.Proposers]
	switch {
	case !ok || d.Floor:
		return ""
	case ratio <= most:
		return fmt.Sprintf(", mark <= %.2f: PASS", most)
	case math.IsNaN(ratio):
		return fmt.Sprintf(", mark <= %.2f: not measured", most)
	}
	return fmt.Sprintf(", mark <= %.2f: FAIL", most)
}

// slice measures one side while nobody asks the other one for anything.
func (d *duel) slice(o order, i int) (paired.Slice, error) {
	var results []result
	var used process.Usage
	var strangers float64
	var g errgroup.Group
	g.Go(func() (err error) {
		results, err = d.trios[i].each(o.at)
		return err
	})
	g.Go(func() (err error) {
		used, strangers, err = d.watch(o, i)
		return err
	})
	if err := g.Wait(); err != nil {
		return paired.Slice{}, err
	}
	s := newTally()
	s.add(o, results, used)
	d.tallies[i].merge(&s)
	if o.Fresh && s.calls > 0 && s.founded == 0 && !(i == 1 && d.Floor) {
		return paired.Slice{}, errNoFresh
	}
	cost := math.NaN()
	if s.calls >= fewest {
		cost = s.each(s.cpu.Seconds() * 1e6)
	}
	return paired.Slice{Cost: cost, Others: strangers}, nil
}

// watch looks at the machine and one side's processes while they are measured.
func (d *duel) watch(o order, i int) (used process.Usage, strangers float64, err error) {
	beside := append(d.trios[1-i].ids(), os.Getpid())
	time.Sleep(o.Warm)
	before, err := process.Look(d.trios[i].ids(), beside)
	if err != nil {
		return used, 0, err
	}
	time.Sleep(o.For)
	after, err := process.Look(d.trios[i].ids(), beside)
	used, strangers = after.Since(before)
	return used, strangers, err
}
