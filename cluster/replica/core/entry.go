package core

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"ssod/persistence"
)

// Formats of entries, the newest last: commits, a reset of the shard time, and commits that
// may have events and marks.
const (
	entryVersion  = 1
	resetVersion  = 2
	eventsVersion = 3
)

// eventsLevel is the first format level of a cluster whose entries may have events.
const eventsLevel = 2

// entryFrom is the format of entries of commits at a format level of the cluster.
func entryFrom(level int) byte {
	if level >= eventsLevel {
		return eventsVersion
	}
	return entryVersion
}

// ErrEntryFormat says that a log entry or a frame is damaged.
var ErrEntryFormat = errors.New("malformed encoding")

// ErrEntryVersion says that an entry was written by a newer version. The node must
// stop: to skip it would make the replicas differ.
var ErrEntryVersion = errors.New("entry of a newer version")

// Entry is what one log entry carries: commits in the order of their arrival.
//
//	1 | proposerTerm | time | count | (length commit)*
//	2 | proposerTerm | time
//	3 | as 1, of commits with events and marks
//
// The second form only sets the shard time, which otherwise never goes back. All
// integers are unsigned varints, the version is one byte.
type Entry struct {
	// ProposerTerm is the term in which the proposer led the shard. An entry
	// that ends up in the log under another term is void.
	ProposerTerm uint64
	// Time is the proposer's clock in milliseconds since 1970.
	Time uint64
	// Reset: Time becomes the shard time even if that is later.
	Reset bool
	// Commits are applied one by one in order.
	Commits []persistence.Commit
}

// packEntry appends an entry of encoded commits.
func packEntry(b []byte, version byte, term, now uint64, commits []*Proposal) []byte {
	size := 1 + 3*binary.MaxVarintLen64
	for _, c := range commits {
		size += len(c.Data) + binary.MaxVarintLen32
	}
	b = append(slices.Grow(b, size), version)
	b = binary.AppendUvarint(b, term)
	b = binary.AppendUvarint(b, now)
	b = binary.AppendUvarint(b, uint64(len(commits)))
	for _, c := range commits {
		b = appendBytes(b, c.Data)
	}
	return b
}

// packReset encodes an entry that sets the shard time.
func packReset(term, now uint64) []byte {
	b := binary.AppendUvarint([]byte{resetVersion}, term)
	return binary.AppendUvarint(b, now)
}

// decodeHeader decodes what comes before the commits of an entry that is not empty.
func decodeHeader(b []byte) (decoder, Entry) {
	d := decoder{rest: b[1:]}
	return d, Entry{ProposerTerm: d.uvarint(), Time: d.uvarint(), Reset: b[0] == resetVersion}
}

// maxRoom bounds the elements that are allocated because an encoding announces them.
const maxRoom = 64

// DecodeEntry decodes an entry. The commits share b.
func DecodeEntry(b []byte) (Entry, error) {
	if len(b) == 0 {
		return Entry{}, fmt.Errorf("entry: %w", ErrEntryFormat)
	}
	d, e := decodeHeader(b)
	switch {
	case b[0] == 0 || b[0] > newestEntry:
		return Entry{}, fmt.Errorf("entry version %d: %w", b[0], ErrEntryVersion)
	case e.Reset:
		if err := d.end(); err != nil {
			return Entry{}, fmt.Errorf("reset: %w", err)
		}
		return e, nil
	}
	n := d.count()
	e.Commits = make([]persistence.Commit, 0, min(n, maxRoom))
	for range n {
		c, err := DecodeCommit(d.bytes())
		if err != nil {
			return Entry{}, err
		}
		if b[0] < eventsVersion && eventful(&c) {
			return Entry{}, fmt.Errorf("entry version %d with events: %w", b[0], ErrEntryFormat)
		}
		e.Commits = append(e.Commits, c)
	}
	if err := d.end(); err != nil {
		return Entry{}, fmt.Errorf("entry: %w", err)
	}
	return e, nil
}
