package persistence

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// First bytes of keys. 01 and 02 belong to the replication log.
const (
	spaceNode  = 0x00
	spaceShard = 0x03
)

// What a key of a shard is about.
const (
	subEntity  = 'e'
	subOutcome = 'o'
	subTime    = 't'
)

var identityKey = []byte("\x00identity")

// shardKeyLen is the length of 03 shard and the byte after it.
const shardKeyLen = 4

// requestLen is the length of a request and a step.
const requestLen = len(RequestID{}) + 4

func appendShard(k []byte, shard ShardID, sub byte) []byte {
	return append(k, spaceShard, byte(shard>>8), byte(shard), sub)
}

// digestLen is the length of what stands for an identity in keys: enough that no
// two are alike.
const digestLen = 16

// salt is what the digests of a cluster's identities begin with.
type salt string

// appendEntity appends an encoding that is never a prefix of another entity's. It
// has no identity in it: keys come to stand where nothing is ever erased, as bounds
// of tables in Pebble's MANIFEST.
func (s salt) appendEntity(k []byte, e Entity) []byte {
	var room [256]byte
	named := append(room[:0], byte(len(s)), byte(len(e.Kind)))
	named = append(append(append(named, s...), e.Kind...), e.Identity...)
	digest := sha256.Sum256(named)
	return append(appendKind(k, e.Kind), digest[:digestLen]...)
}

// appendKind appends the common prefix of all entities of a kind.
func appendKind(k []byte, kind string) []byte {
	return append(append(k, byte(len(kind))), kind...)
}

func appendRequest(k []byte, r RequestID, step uint32) []byte {
	return binary.BigEndian.AppendUint32(append(k, r[:]...), step)
}

func (s salt) appendHeadKey(k []byte, shard ShardID, e Entity) []byte {
	return s.appendEntity(appendShard(k, shard, subEntity), e)
}

// splitEntity decodes an entity from the front of b and returns what follows
// it: a part.
func splitEntity(b []byte) (kind, digest, rest []byte, err error) {
	kind, rest, ok := cutLength(b, 1)
	if !ok || len(kind) < 1 || len(kind) > MaxKind || len(rest) < digestLen {
		return nil, nil, nil, fmt.Errorf("%w: entity in a key of %d bytes", ErrDamaged, len(b))
	}
	return kind, rest[:digestLen], rest[digestLen:], nil
}

// cutLength cuts a string behind a length of n bytes from the front of b.
func cutLength(b []byte, n int) (s, rest []byte, ok bool) {
	if len(b) < n {
		return nil, nil, false
	}
	size := 0
	for _, c := range b[:n] {
		size = size<<8 | int(c)
	}
	if b = b[n:]; len(b) < size {
		return nil, nil, false
	}
	return b[:size], b[size:], true
}

// successor returns the first key after all keys that begin with prefix, which
// must hold a byte below 0xff.
func successor(prefix []byte) []byte {
	k := append([]byte(nil), prefix...)
	for i := len(k) - 1; i >= 0; i-- {
		if k[i]++; k[i] != 0 {
			return k[:i+1]
		}
	}
	return nil
}
