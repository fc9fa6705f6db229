package layout

import (
	"encoding/binary"

	"github.com/cockroachdb/pebble/v2"

	"ssod/persistence/data"
)

// First bytes of the keys of the replication log.
const (
	spaceLogState = 0x01
	spaceEntry    = 0x02
)

// What a key of a shard's log state is about.
const (
	LogHard      = 'h'
	LogTruncated = 't'
	LogApplied   = 'a' // position, shard time, configuration
	LogReplica   = 'r' // replica id
	LogInstall   = 'i' // marker of an installation
	LogUsed      = 'x' // highest generation that was destroyed
)

// LogStateKey is the key of something in a shard's log state.
func LogStateKey(shard data.ShardID, what byte) []byte {
	return []byte{spaceLogState, byte(shard >> 8), byte(shard), what}
}

// LogStates is the range of the log states of all shards.
func LogStates() pebble.KeyRange {
	return pebble.KeyRange{Start: []byte{spaceLogState}, End: []byte{spaceLogState + 1}}
}

// ParseLogStateKey is the inverse of [LogStateKey].
func ParseLogStateKey(k []byte) (shard data.ShardID, what byte, ok bool) {
	if len(k) != 4 {
		return 0, 0, false
	}
	return data.ShardID(binary.BigEndian.Uint16(k[1:])), k[3], true
}

// EntryKey is the key of an entry of a shard's log.
func EntryKey(shard data.ShardID, index uint64) []byte {
	k := append(make([]byte, 0, 11), spaceEntry, byte(shard>>8), byte(shard))
	return binary.BigEndian.AppendUint64(k, index)
}

// EntrySpan is the range of the entries of a shard's log.
func EntrySpan(shard data.ShardID) pebble.KeyRange {
	start := EntryKey(shard, 0)[:3]
	return pebble.KeyRange{Start: start, End: Successor(start)}
}
