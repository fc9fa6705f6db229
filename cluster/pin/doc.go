// Package pin reads the state of all shards of a running cluster as of one time.
//
// [Pins.Take] asks the leader of each shard: the leader passes a read barrier, so that
// everything acknowledged by then is applied, and pins the state in its store
// ([persistence.Store.Pin]). All shards but the meta shard are pinned at once, the meta
// shard after them, all within [Spread]; if that fails, because a leader changes or a
// machine is busy, everything is released and pinned again. So everything is there that was
// acknowledged before Take was called, in any shard, and nothing that was acknowledged later
// than [Spread] after the barriers. What was acknowledged in between may be there or not.
//
// Then the shards are read one after another, in pieces, as frames of a backup with
// checksums made where they were read. A node that holds pins for another one releases them
// when it has not been told for [patience] that they are needed. If a node with a pin is
// gone so is the pin: no other replica has the state of that time.
//
// Reading gives way to requests (package pace). A pin keeps old versions on the disk, so a
// node holds at most [maxPins].
package pin
