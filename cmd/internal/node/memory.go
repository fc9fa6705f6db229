package node

import (
	"cmp"

	"ssod/actors"
)

// defaultMemory is the default of Config.Memory.
const defaultMemory = 512 << 20

// shares are the parts of a node's memory, in bytes. With the cache they are half of it,
// so that at least two fifths are left for garbage when each part is full; with less Go
// collects more often. MiB of the default:
//
//	 64  1/8   cache of blocks, see Config.Cache
//	 64  1/8   memtables: one that is written and one that is flushed, or kept
//	 64  1/8   entities; decoded ones of the last seconds take up to 16 more
//	 32  1/16  applied and not flushed: since the last flush, and during one
//	 32  1/16  commands in flight
//	 48        the program, stacks, connections, the Go runtime
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

// shares divides the memory. Memtables and unflushed changes have bounds of their own:
// small ones cause many small flushes, large ones take long to replay at a start.
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
