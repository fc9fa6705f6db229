// Package pin reads what all shards of a running cluster hold, as it was at one moment.
//
// Whoever takes a pin ([Pins.Take]) asks the leader of each shard for what it has: the
// leader passes a read barrier, so that all is applied that was acknowledged by then,
// and pins the state in its store ([persistence.Store.Pin]). All shards but the meta
// shard are pinned at once, the meta shard when they are, all within [Spread]; if that
// fails, because a shard changes hands or a machine is busy, everything is let go and
// pinned again. So what was acknowledged before Take was called is there, whichever
// shard it is in, and nothing that was acknowledged later than [Spread] after the
// barriers. What was acknowledged in between may be there or not, shard by shard.
//
// Then the shards are read one after another, in pieces, as frames of a backup that
// carry a checksum from where they were read. A node that holds pins for another one is
// told that they are still needed, and lets them go when it has not heard that for
// [patience]. If a node that holds one is gone the pin is: it cannot be made up for by
// a replica, which has another moment.
//
// Reading gives way to requests (package pace). What is pinned keeps old versions on
// the disk, so a node holds [maxPins] at most.
package pin
