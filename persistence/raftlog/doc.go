// Package raftlog is the replication log of all shards of a node.
//
// It lies in the same Pebble as the state, whose write-ahead log a crash can only
// shorten. Synced batches are numbered, and counted: so a start finds out that one is
// missing. An entry is sealed and decoded when it is read; damage and gaps are
// [data.ErrDamaged] and named.
//
// Of the state the log knows what [State] asks: how far it is, since entries that it
// lacks on disk must stay, and that replicas begin and end with it.
//
// [Log.Append] and [Log.Begin] are not called beside themselves. What concerns one
// shard's creation, installation and destruction is not called beside its appends.
package raftlog
