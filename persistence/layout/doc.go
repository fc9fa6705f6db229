// Package layout defines the keys in Pebble, and the values that more than one package
// reads.
//
// The keys, all integers big endian:
//
//	00 "identity"                        the same as identity.json
//	00 "sequence", 00 "count"            number of the last batch, and of all
//	00 "boots"                           starts of the node on this directory
//	00 "peer" node                       what is known of another node
//	00 'n' name                          what the node noted for itself
//	01 shard what                        hard state, truncated position, applied
//	                                     position with shard time, ...
//	02 shard index                       log entry
//	03 shard 'e' entity                  head: revision, schema, flags, state
//	03 shard 'e' entity part             a record of the entity
//	03 shard 'o' index number            block: outcomes that one flush wrote
//	03 shard 'q' event                   an event that waits for its receiver
//	03 shard 'r' event                   a dead letter
//	03 shard 't'                         shard time that came with a snapshot
//
// An entity is encoded as its slot, its kind behind its length, and a digest of its
// identity, so no entity is a prefix of another and its records follow its head directly.
// The identity itself is in the head only, and is deleted with it. A shard's state is
// between 03 shard and 03 shard+1, and the entities of a range of slots are between 03
// shard 'e' first and 03 shard 'e' last+1. A block of outcomes has those of many entities,
// in the order of their encodings, each behind the encoding of its entity: the block alone
// shows what belongs to which slot.
//
// An event is encoded as its receiver, its sequence and the entity of its commit, so those
// of a receiver are in the order of commits, and the key shows to which slot it belongs.
//
// What is under 01 and 02 is sealed: a checksum stands before the value.
package layout
