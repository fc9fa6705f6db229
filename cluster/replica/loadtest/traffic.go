package main

import (
	"runtime/metrics"
	"sync/atomic"

	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/persistence"
)

// sampled is one frame of how many that is decoded to count the messages in it.
const sampled = 64

// counters are the names of what a node counts beside commits, in the order of a
// report. Those in bytes and objects grow with the commits.
var counters = []string{
	"entries", "entry bytes", "log writes", "log bytes", "table bytes", "state changes", "state batches",
	"frames", "frame bytes", "messages", "allocations", "allocated bytes",
}

// traffic counts what an engine hands to its log and to its transport.
type traffic struct {
	entries, entryBytes, writes atomic.Int64
	changes, batches            atomic.Int64
	frames, frameBytes          atomic.Int64
	messages                    atomic.Int64
}

// counts is what was counted so far.
func (n *node) counts() map[string]int64 {
	t := &n.traffic
	objects, bytes := allocated()
	return map[string]int64{
		"entries": t.entries.Load(), "entry bytes": t.entryBytes.Load(), "log writes": t.writes.Load(),
		"log bytes": n.fs.logged.Load(), "table bytes": n.fs.tabled.Load(),
		"state changes": t.changes.Load(), "state batches": t.batches.Load(),
		"frames": t.frames.Load(), "frame bytes": t.frameBytes.Load(), "messages": t.messages.Load(),
		"allocations": objects, "allocated bytes": bytes,
	}
}

// since is what was counted between two times.
func since(before, after map[string]int64) map[string]int64 {
	d := make(map[string]int64, len(after))
	for name, n := range after {
		d[name] = n - before[name]
	}
	return d
}

// allocated is how many objects the process has allocated, and their bytes.
func allocated() (objects, bytes int64) {
	samples := []metrics.Sample{{Name: "/gc/heap/allocs:objects"}, {Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64()), int64(samples[1].Value.Uint64())
}

// log is l with its writes counted.
func (t *traffic) log(l replica.Log) replica.Log { return countedLog{l, t} }

type countedLog struct {
	replica.Log
	traffic *traffic
}

// Begin implements [replica.Log].
func (l countedLog) Begin(writes []core.LogWrite, sync bool) (*persistence.Write, error) {
	l.traffic.wrote(writes)
	return l.Log.Begin(writes, sync)
}

// Append implements [core.Store].
func (l countedLog) Append(writes []core.LogWrite, sync bool) error {
	l.traffic.wrote(writes)
	return l.Log.Append(writes, sync)
}

// Apply implements [core.Store].
func (l countedLog) Apply(changes []core.Change) ([][]error, error) {
	l.traffic.changes.Add(int64(len(changes)))
	l.traffic.batches.Add(1)
	return l.Log.Apply(changes)
}

func (t *traffic) wrote(writes []core.LogWrite) {
	t.writes.Add(1)
	for _, w := range writes {
		t.entries.Add(int64(len(w.Entries)))
		for _, e := range w.Entries {
			t.entryBytes.Add(int64(len(e.GetData())))
		}
	}
}

// network is n with its frames counted.
func (t *traffic) network(n replica.Transport) replica.Transport { return countedNetwork{n, t} }

type countedNetwork struct {
	replica.Transport
	traffic *traffic
}

// Send implements [replica.Transport].
func (n countedNetwork) Send(to core.NodeID, frame []byte) {
	n.traffic.frameBytes.Add(int64(len(frame)))
	if n.traffic.frames.Add(1)%sampled == 0 {
		if es, err := core.DecodeFrame(frame); err == nil {
			n.traffic.messages.Add(sampled * int64(len(es)))
		}
	}
	n.Transport.Send(to, frame)
}
