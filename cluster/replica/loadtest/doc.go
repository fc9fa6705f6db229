// Loadtest measures the replication engine as it runs in production: three
// processes on this machine, each with a store on the real file system, fsync
// included, and TLS between them.
//
//	go run ./cluster/replica/loadtest            # or: make bench-engine
//	go run ./cluster/replica/loadtest --slow-fsync 500ms
//
// The program starts itself three times as nodes and tells them over their
// standard input what to do next; package cluster/transport is all that runs
// between the nodes. A run has phases:
//
//	idle    nobody asks for anything: CPU and goroutines
//	load    proposers commit, each its own entities, to the shard it belongs to
//	reads   barriers as fast as they go
//	slow    load and a few barriers per second while one node's fsyncs take
//	        longer: what is led elsewhere goes on, nobody stands for election
//
// Shards are led by the nodes in turn. A proposer works on the node that leads
// its shard, as an actor does. Latency is from the call of Commit to its return;
// CPU is that of the three processes together, proposers included.
package main
