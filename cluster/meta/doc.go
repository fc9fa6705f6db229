// Package meta keeps small tables of the whole cluster in the meta shard: keys,
// software statements, revocations, the registry of nodes and the map of
// shards.
//
// A table is one entity of kind "meta" with one record per key. All tables are
// in memory on every node, replaced as a whole by every change, so a look-up
// takes no lock and sees either all of a change or nothing.
//
// [Store.Change] is durable and visible on this node when it returns. It only puts and
// deletes keys, so when another node was faster it is made on the newer revision.
// [Store.Update] is for changes that were decided on the contents of the table: it fails with
// [ErrChanged] when the table has another revision by then.
//
// [Store.Decide] is for decisions on facts of the moment: the leader that decides proposes
// the change at once, or not at all.
//
// A node forwards its changes to the leader of the meta shard, which answers with
// [Store.Serve]. They carry a request id, and the commit its outcome, so a change whose
// answer was lost can be repeated without a second effect.
//
// [Open] is for a node that leads the meta shard, [Follow] for one among many: its tables
// follow what is applied here.
package meta
