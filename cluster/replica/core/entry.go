package core

import (
	"encoding/binary"
	"errors"
	"fmt"

	"ssod/persistence"
)

// entryVersion is the format of entries that this node writes, and the newest
// that it reads.
const entryVersion = 1

// ErrEntryFormat says that a log entry or a frame is damaged.
var ErrEntryFormat = errors.New("malformed encoding")

// ErrEntryVersion says that an entry was written by a newer version. The node
// must stop: applying something else in its place would break the agreement
// of the replicas.
var ErrEntryVersion = errors.New("entry of a newer version")

// Entry is what one log entry carries: commits that its proposer packed into
// it in the order they arrived.
//
//	version | proposerTerm | time | count | (length commit)*
//
// All integers are unsigned varints, the version is one byte.
type Entry struct {
	// ProposerTerm is the term in which the proposer led the shard. An entry
	// that ends up in the log under another term is void.
	ProposerTerm uint64
	// Time is the proposer's clock in milliseconds since 1970.
	Time uint64
	// Commits are applied one by one in order.
	Commits []persistence.Commit
}

// packEntry encodes an entry from commits that are encoded already.
func packEntry(term, now uint64, commits [][]byte) []byte {
	size := 1 + 3*binary.MaxVarintLen64
	for _, c := range commits {
		size += len(c) + binary.MaxVarintLen32
	}
	b := make([]byte, 1, size)
	b[0] = entryVersion
	b = binary.AppendUvarint(b, term)
	b = binary.AppendUvarint(b, now)
	b = binary.AppendUvarint(b, uint64(len(commits)))
	for _, c := range commits {
		b = appendBytes(b, c)
	}
	return b
}

// maxRoom bounds the room that is made for what an encoding announces.
const maxRoom = 64

// DecodeEntry decodes an entry. The commits share b.
func DecodeEntry(b []byte) (Entry, error) {
	if len(b) == 0 {
		return Entry{}, fmt.Errorf("entry: %w", ErrEntryFormat)
	}
	if b[0] != entryVersion {
		return Entry{}, fmt.Errorf("entry version %d: %w", b[0], ErrEntryVersion)
	}
	d := decoder{rest: b[1:]}
	e := Entry{ProposerTerm: d.uvarint(), Time: d.uvarint()}
	n := d.count()
	e.Commits = make([]persistence.Commit, 0, min(n, maxRoom))
	for range n {
		c, err := DecodeCommit(d.bytes())
		if err != nil {
			return Entry{}, err
		}
		e.Commits = append(e.Commits, c)
	}
	if err := d.end(); err != nil {
		return Entry{}, fmt.Errorf("entry: %w", err)
	}
	return e, nil
}
