package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"ssod/bench/loadgen"
	"ssod/bench/target"
)

// clusterCommand measures what three nodes cost compared with one.
type clusterCommand struct {
	Ssod        string        `default:"bin/ssod" placeholder:"FILE" help:"The service to start on empty directories."`
	Connections []int         `default:"16,64,512" help:"Connections, each with one request on it; the mark of durable requests is for the most."`
	Realms      int           `default:"4" help:"Realms."`
	Clients     int           `default:"4" help:"Clients per realm."`
	Members     int           `default:"40000" help:"Viewers with one device each, on either side. Each may have a few codes at a time, so too few are refused."`
	Rounds      int           `default:"3" help:"Slices per row; the report has their medians."`
	Slice       time.Duration `help:"Measured time per slice: 1s, or 2s in a comparison."`
	Warm        time.Duration `default:"200ms" help:"Unmeasured time before each slice."`
	Calm        time.Duration `default:"70s" help:"How long there are no requests before the cluster counts as idle: entities leave memory after a minute."`
	Idle        time.Duration `default:"10s" help:"For how long the idle cluster is watched."`
	Against     string        `placeholder:"DIR" type:"existingdir" help:"Compare with the programs of an older build in this directory, in turn; see make reference."`
	Pairs       int           `default:"15" help:"Rounds of a comparison; more are tried when others spoil some."`
	Others      float64       `default:"10" help:"Drop rounds of a comparison in which other processes had more of the machine, in percent."`
	Only        []string      `placeholder:"ROW,..." help:"With --against: compare these operations only, of hop, refresh, list, mint, link, redeem and unlink."`
	JSON        string        `placeholder:"FILE" help:"Also write the report here."`
	Strict      bool          `help:"Exit 1 when a mark is missed."`
}

// The marks: what three nodes may cost.
const (
	mostTimes = 1.8                   // CPU of a durable request by that of one node
	mostHop   = 60 * time.Microsecond // CPU of sending a request on to its owner
	mostIdle  = 0.03                  // cores per node that nobody asks anything
)

// side is one of the two services that are compared.
type side struct {
	*bench
	nodes  []*target.Service
	linked int // how many links were asked for in a comparison
}

// clusterBench is the state of a run.
type clusterBench struct {
	*clusterCommand
	realms  []target.Realm
	dir     string
	alone   *side // one node
	several *side // two nodes, then three
	cluster *target.Cluster
	costs   *costs
	idle    []float64 // cores per node
}

func (c *clusterCommand) Run(ctx context.Context) (err error) {
	if c.Against != "" {
		c.Slice = cmp.Or(c.Slice, 2*time.Second)
		r := newDuelReport(c)
		if err := c.duel(ctx, &r, everything, (*duel).measureHops, (*duel).measureOperations); err != nil {
			r.print(os.Stdout) // what was measured by then
			return err
		}
		return r.publish(c.JSON, c.Strict)
	}
	c.Slice = cmp.Or(c.Slice, time.Second)
	dir, err := os.MkdirTemp("", "ssobench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := c.newBench(dir)
	defer func() { err = errors.Join(err, b.kill()) }()
	steps := []func(context.Context) error{b.startAlone, b.startTwo, b.measureHops, b.growToThree, b.measureDurable, b.watchIdle}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return b.publish(b.report())
}

func (c *clusterCommand) newBench(dir string) *clusterBench {
	return &clusterBench{clusterCommand: c, realms: target.Realms(c.Realms), dir: dir, costs: newCosts(c.Connections)}
}

func (b *clusterBench) kill() (err error) {
	if b.alone != nil {
		err = b.alone.nodes[0].Process.Kill()
	}
	if b.cluster != nil {
		err = errors.Join(err, b.cluster.Kill())
	}
	return err
}

// starting bounds the start of a node, and how long a cluster takes to settle.
const starting = 3 * time.Minute

func (b *clusterBench) startAlone(ctx context.Context) error {
	dir := filepath.Join(b.dir, "alone")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	begin, cancel := context.WithTimeout(ctx, starting)
	defer cancel()
	s, err := target.Start(begin, b.Ssod, dir, b.realms)
	if err != nil {
		return err
	}
	b.alone = b.newSide(s)
	return b.alone.found(ctx, s, b.realms)
}

// startTwo starts a cluster of two nodes. The second has every replica but no
// vote, so the first owns everything: a request to it is at its owner, and one
// to the second is sent on.
func (b *clusterBench) startTwo(ctx context.Context) (err error) {
	if b.cluster, err = target.NewCluster(b.Ssod, b.dir, b.realms); err != nil {
		return err
	}
	if err := b.grow(ctx, 2, 1); err != nil {
		return err
	}
	return b.several.found(ctx, b.several.nodes[0], b.realms)
}

// growToThree adds the third node: from then on a change needs two of them.
func (b *clusterBench) growToThree(ctx context.Context) error { return b.grow(ctx, 3, 3) }

func (b *clusterBench) grow(ctx context.Context, nodes, leaders int) error {
	ctx, cancel := context.WithTimeout(ctx, starting)
	defer cancel()
	for len(b.cluster.Nodes) < nodes {
		if err := b.cluster.Add(ctx); err != nil {
			return err
		}
	}
	if err := b.cluster.Settled(ctx, leaders); err != nil {
		return err
	}
	if b.several == nil {
		b.several = b.newSide(nil)
	}
	b.several.nodes = b.cluster.Nodes
	b.several.service = b.several.through(b.cluster.Nodes...)
	return nil
}

func (b *clusterBench) newSide(s *target.Service) *side {
	c := &runCommand{Connections: b.Connections[0], Clients: b.Clients, Members: b.Members, Slice: b.Slice, Warm: b.Warm}
	n := &side{bench: &bench{runCommand: c}}
	if s != nil {
		n.nodes = []*target.Service{s}
		n.service = n.through(s)
	}
	return n
}

// through is the side with connections to some of its nodes only.
func (s *side) through(nodes ...*target.Service) (to server) {
	for _, n := range nodes {
		to.addrs = append(to.addrs, n.HTTP)
	}
	for _, n := range s.nodes {
		to.processes = append(to.processes, n.Process)
	}
	return to
}

// cost measures a slice and counts the hops of its requests. One in a hundred may
// be refused, since hundreds of connections can be more than one directory takes,
// and what is under way when the machine stalls: a request of each connection.
func (s *side) cost(ctx context.Context, to server, connections int, src loadgen.Source) (costSample, error) {
	s.Connections = connections
	before, err := s.hops(ctx)
	if err != nil {
		return costSample{}, err
	}
	counted := &counting{Source: src}
	got, err := s.closed(to, counted)
	if errors.Is(err, errRefused) && 100*got.Errors <= counted.answers+100*connections {
		err = nil
	}
	if err == nil && got.Requests == 0 {
		err = errNothing
	}
	if err != nil {
		return costSample{}, err
	}
	after, err := s.hops(ctx)
	return costSample{sample: got, hops: (after - before) / float64(max(counted.answers, 1))}, err
}

// hops is how many commands the nodes have sent to each other.
func (s *side) hops(ctx context.Context) (sum float64, err error) {
	for _, n := range s.nodes {
		hops, err := metric(ctx, n.Admin, "ssod_actor_hops_total")
		if err != nil {
			return 0, err
		}
		sum += hops
	}
	return sum, nil
}

// counting counts the answers of a source, also outside the measured window.
type counting struct {
	loadgen.Source
	answers int
}

func (c *counting) Answer(tag, status int, body []byte) bool {
	c.answers++
	return c.Source.Answer(tag, status, body)
}

// publish prints the report and writes it.
func (b *clusterBench) publish(r CostReport) error {
	r.print(os.Stdout)
	if b.JSON != "" {
		if err := writeJSON(b.JSON, r); err != nil {
			return err
		}
	}
	if b.Strict && !r.passed() {
		return errMissed
	}
	return nil
}

// watchIdle reads the CPU time of the nodes without requests.
func (b *clusterBench) watchIdle(ctx context.Context) error {
	if err := pause(ctx, b.Calm); err != nil {
		return err
	}
	before, err := b.cpu()
	if err != nil {
		return err
	}
	if err := pause(ctx, b.Idle); err != nil {
		return err
	}
	after, err := b.cpu()
	b.idle = nil
	for i := range after {
		b.idle = append(b.idle, float64(after[i]-before[i])/float64(b.Idle))
	}
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *clusterBench) cpu() (all []time.Duration, err error) {
	for _, n := range b.cluster.Nodes {
		cpu, err := n.Process.CPU()
		if err != nil {
			return nil, fmt.Errorf("CPU time of a node: %w", err)
		}
		all = append(all, cpu)
	}
	return all, nil
}
