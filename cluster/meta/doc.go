// Package meta keeps small tables of the whole cluster in the meta shard: keys,
// software statements, revocations.
//
// A table is one entity of kind "meta" with one record per key. All tables are
// in memory, replaced as a whole by every change, so a look-up takes no lock
// and sees either all of a change or nothing.
//
// [Store.Change] is durable when it returns. A change says what to put and what
// to delete and depends on nothing else, so when another node was faster it is
// simply made on the newer revision. When the outcome of a commit is unknown,
// the outcome record that the commit carries tells whether it was applied.
package meta
