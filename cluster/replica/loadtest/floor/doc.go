// Package floor does for a commit what the hardware asks for, and nothing else:
// the yardstick of the replication engine.
//
// What callers hand to a node while a batch is under way is the next one. A batch
// gets a checksum, is written to the node's file with one sync, and goes over TLS
// to two others, which check it, do the same and say so. When two of the three
// have it, its callers go on. A file is written from the begin again when it is
// long, as Pebble recycles its logs.
//
// There are no terms, no elections, no state, no order among the nodes' batches and
// no way to read them again. An engine that promises these costs more than the
// floor; by what factor is what a report says.
package floor
