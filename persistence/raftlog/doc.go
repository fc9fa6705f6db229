// Package raftlog is the replication log of all shards of a node.
//
// It lies in the same Pebble as the state, whose write-ahead log a crash can only
// shorten. Synced batches are numbered and counted, so a start detects a missing one.
// Entries are sealed; damage and gaps are [data.ErrDamaged] and name the entry.
//
// Of the state the log knows [State]: how far it is, because entries that it lacks on disk
// must stay, and that replicas begin and end with it.
//
// [Log.Append] and [Log.Begin] must not run concurrently, and a shard is not created,
// installed or destroyed during its appends.
package raftlog
