// Package meta keeps small tables of the whole cluster in the meta shard: keys,
// software statements, revocations, the registry of nodes and the map of
// shards.
//
// A table is one entity of kind "meta" with one record per key. All tables are
// in memory on every node, replaced as a whole by every change, so a look-up
// takes no lock and sees either all of a change or nothing.
//
// [Store.Change] is durable when it returns, and seen on this node. It depends
// on nothing but what it says to put and to delete, so when another node was
// faster it is simply made on the newer revision. [Store.Update] is for changes
// that were decided on what the table holds: it fails with [ErrChanged] when the
// table has another revision by then.
//
// [Store.Decide] is for what was decided on the state of the world at this moment:
// it is proposed at once by the leader that has decided, or not at all.
//
// A node that does not lead the meta shard hands its changes to the one that
// does, which answers with [Store.Serve]. They carry a request id, and the
// commit its outcome, so a change whose answer was lost is asked for again
// without a second effect.
//
// [Open] is for a node that leads the meta shard, [Follow] for one among many:
// its tables follow what is applied here.
package meta
