package main

import (
	"slices"
	"time"
)

// Where requests were sent.
const (
	onOne   = "one node"
	onThree = "three nodes"
	atOwner = "at the owner"
	oneHop  = "at another node"
)

// durable is the mean of the operations that change something.
const durable = "durable"

// durables are the operations that change something.
var durables = []string{mint, link, redeem, unlink}

// costSample is a slice with the hops that each request took.
type costSample struct {
	sample
	hops float64
}

// cpu is the microseconds of CPU time of a request over all nodes.
func (s costSample) cpu() figure { return s.server() }

// hopsEach is how many hops a request took.
func (s costSample) hopsEach() figure { return s.unlessFew(figure(s.hops)) }

// costRow collects the slices of one operation at one place.
type costRow struct {
	operation, where string
	connections      int
	samples          []costSample
}

// costs are all rows, in the order in which they were first measured.
type costs struct {
	connections []int
	rows        []*costRow
}

func newCosts(connections []int) *costs { return &costs{connections: connections} }

func (c *costs) row(operation, where string, connections int) *costRow {
	at := slices.IndexFunc(c.rows, func(r *costRow) bool {
		return r.operation == operation && r.where == where && r.connections == connections
	})
	if at < 0 {
		c.rows = append(c.rows, &costRow{operation: operation, where: where, connections: connections})
		at = len(c.rows) - 1
	}
	return c.rows[at]
}

func (c *costs) add(operation, where string, connections int, s costSample) {
	r := c.row(operation, where, connections)
	r.samples = append(r.samples, s)
}

func (r *costRow) cpu() figure  { return median(r.samples, costSample.cpu) }
func (r *costRow) hops() figure { return median(r.samples, costSample.hopsEach) }

// perHop is how many microseconds each further hop costs beside the same requests
// elsewhere: the median over the rounds.
func (r *costRow) perHop(owner *costRow) figure {
	var all []figure
	for i := range min(len(r.samples), len(owner.samples)) {
		s, o := r.samples[i], owner.samples[i]
		if hops := s.hopsEach() - o.hopsEach(); hops > 0 {
			all = append(all, (s.cpu()-o.cpu())/hops)
		}
	}
	return median(all, itself)
}

// times is by how much a request costs more than elsewhere: the median over the
// rounds.
func (r *costRow) times(base *costRow) figure {
	var all []figure
	for i := range min(len(r.samples), len(base.samples)) {
		all = append(all, r.samples[i].cpu()/base.samples[i].cpu())
	}
	return median(all, itself)
}

// durable is a row whose samples are the means of the operations that change
// something, each with the same weight. A round in which one of them was not
// measured has none.
func (c *costs) durable(where string, connections int) *costRow {
	mean := &costRow{operation: durable, where: where, connections: connections}
	for i := range c.row(durables[0], where, connections).samples {
		var s costSample
		for _, operation := range durables {
			one := c.row(operation, where, connections).samples[i]
			s.few = s.few || one.few
			s.serverCPU += one.serverCPU / time.Duration(max(one.Requests, 1))
			s.hops += one.hops / float64(len(durables))
		}
		s.Requests = len(durables)
		mean.samples = append(mean.samples, s)
	}
	return mean
}
