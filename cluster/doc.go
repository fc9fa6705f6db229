// Package cluster is what the rest of the service sees of replication: shards,
// their leaders, and commits with exactly four outcomes.
//
// A [Shard] is a handle on one shard in one term of leadership. Actors decide
// on state they hold in memory, [Shard.Commit] makes the new state durable, and
// only then do they change their memory and answer. [Shard.ReadBarrier] makes
// an answer from memory safe: it fails on a node that has been deposed.
//
// Implementations: cluster/replica (raft, which all nodes run, even a single one) and
// cluster/faulty (a memory store that injects every outcome that a caller must survive);
// both pass the suite in cluster/shardtest. Package cluster/meta keeps small tables on the
// meta shard. The package knows no domain types.
package cluster
