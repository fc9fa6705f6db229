package node

import (
	"cmp"

	"ssod/actors"
)

// defaultMemory is what a node takes whose configuration says nothing.
const defaultMemory = 512 << 20

// shares are what the parts of a node may take of its memory, in bytes. With the
// cache they are half of it, so that what is left for garbage is at least two fifths
// when each of them is full; Go collects the more often the less that is. MiB of the
// default:
//
//	 64  1/8   cache of blocks, see Config.Cache
//	 64  1/8   memtables: one that is written and one that is flushed, or kept
//	 64  1/8   entities; those of the last seconds, decoded, take up to 16 more
//	 32  1/16  applied and not flushed: since the last flush, and while it is written
//	 32  1/16  commands in flight
//	 48        the program, stacks, connections, what Go needs itself
//	208        garbage
//
// When the disk is slow there are up to four memtables, and four times as much that
// is not flushed before changes are refused.
type shares struct {
	memtable  uint64
	unflushed int64
	entities  int64
	queues    int64
	active    int // entities
}

// shares divides the memory. A memtable has bounds of its own: with a small one flushes
// of a few megabytes follow each other, and a large one is long to read at a start. So
// is the log of what is not flushed.
func (c *Config) shares() shares {
	m := cmp.Or(c.Memory, defaultMemory)
	return shares{
		memtable:  uint64(min(64<<20, max(16<<20, m/16))),
		unflushed: min(64<<20, m/32),
		entities:  m / 8,
		queues:    m / 16,
		active:    int(m / (defaultMemory / 200_000)),
	}
}

// actorLimits are what entities and commands for them may take.
func (c *Config) actorLimits() actors.Limits {
	s := c.shares()
	return actors.Limits{Bytes: s.entities, Active: s.active, QueueBytes: s.queues}
}
