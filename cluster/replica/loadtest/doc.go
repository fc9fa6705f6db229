// Loadtest measures the replication engine as it runs in production: three
// processes on this machine, each with a store on the real file system, fsync
// included, and TLS between them.
//
//	go run ./cluster/replica/loadtest            # or: make bench-engine
//	go run ./cluster/replica/loadtest --slow-fsync 500ms
//	go run ./cluster/replica/loadtest --against bin/1c60b06/loadtest
//	go run ./cluster/replica/loadtest --floor
//
// The program starts itself three times as nodes and tells them over their
// standard input what to do next; package cluster/transport is all that runs
// between the nodes. A run has phases:
//
//	idle    no requests: CPU and goroutines
//	load    proposers commit, each its own entities, to the shard it belongs to;
//	        with --fresh each commit founds an entity
//	reads   barriers as fast as they go
//	slow    load and a few barriers per second while one node's fsyncs take
//	        longer: shards that others lead go on, no replica campaigns
//
// Shards are led by the nodes in turn. A proposer works on the node that leads
// its shard, as an actor does. Latency is from the call of Commit to its return;
// CPU is that of the three processes together, proposers included. Each row has the cost of
// a commit: entries, messages (from a sample of the frames), bytes, fsyncs, allocations.
// "State changes" are entries that were applied, "table bytes" what was written to files
// that are not logs.
//
// With --against the trio of another build, such as that of make reference, is
// measured in turn with this one's; package paired says how, and what the figures
// mean. The other build's nodes get the same orders, so what they do not know they
// do not do: the parent refuses to compare --fresh with a build that does not know
// it. With --floor the other trio is that of package floor, which does what the
// hardware asks for a commit and nothing else. What both count comes from outside:
// CPU, waits (voluntary context switches), system calls that read or write.
package main
