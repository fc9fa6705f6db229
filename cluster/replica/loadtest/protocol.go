package main

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"ssod/cluster/transport"
)

// nodes is how many processes there are.
const nodes = 3

// setup is the first thing that a node hears.
type setup struct {
	Node   transport.NodeID
	Dir    string
	Shards int
	// Files is empty without TLS.
	Files transport.Files
	// Profile is where CPU profiles go; empty: none.
	Profile string
	// Floor makes the node serve the floor instead of the engine.
	Floor bool
}

// The parent may be of another build than the nodes (--against): what is added
// here must be something that an older node can do without, or that the parent
// finds missing in its reports.

// order says what to do next. A node answers each with a report.
type order struct {
	// Peers, if there are any, are the nodes to connect to; the answer comes
	// when every shard is led by the node that should.
	Peers []transport.Peer
	// Phase names the measurement.
	Phase string
	// Warm comes before what is measured, For is how long that takes.
	Warm, For time.Duration
	// Proposers commit Size bytes each, Readers take barriers, one every
	// Pause; 0: as fast as they go. Both are numbers of the cluster, not of
	// the node.
	Proposers, Readers, Size int
	Pause                    time.Duration
	// Fresh lets every commit found an entity.
	Fresh bool
	// Slow is how long the node's fsyncs take at least.
	Slow time.Duration
}

// report is what a node has to say.
type report struct {
	Peer  transport.Peer
	Error string
	result
}

// result is what was measured at one node, or at all together.
type result struct {
	Commits, Reads *hdrhistogram.Snapshot // microseconds
	// Failed is how many commits and barriers failed.
	Failed int64
	// Elections is how many changes of a leader the node saw, Syncs how many
	// fsyncs it did.
	Elections, Syncs int64
	CPU              time.Duration
	Goroutines       int
	// Resident is the memory of the process in bytes.
	Resident int64
	// Founded is how many entities a fresh order has founded.
	Founded int64
	// Counts is what else was counted, by the names in [counters].
	Counts map[string]int64
}
