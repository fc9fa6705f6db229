package core

import (
	"cmp"
	"time"

	"ssod/persistence/level"
)

// Config is what a [Core] needs. The zero value of a limit takes its default.
type Config struct {
	// Node is this node.
	Node NodeID
	// Store is the node's disk. The core itself only reads logs from it.
	Store Store
	// Now is the node's clock, for the time in entries.
	Now func() time.Time
	// Measured is the time on the clock of another node, false when it was not
	// measured. It must notice at once when this node's own clock is set. nil: clocks
	// are not compared, and this node's is right.
	Measured func(NodeID) (time.Time, bool)

	// Level is the format level of the cluster, as far as this node knows. It decides
	// the formats of entries and frames. nil: the first.
	Level func() int

	// ElectionTicks is how many ticks a follower waits for its leader before it
	// campaigns, at least; at most twice that. Default 10: at ticks of 100 ms a
	// failover takes 1.1 to 1.7 s. Disks stall for up to 140 ms, so with much less
	// leaders would lose their lead over a slow fsync.
	ElectionTicks int
	// MaxEntry bounds the bytes of commits in one entry. Default 1 MiB.
	MaxEntry int
	// MaxQueue bounds the bytes of commits that wait for a round per shard; beyond
	// it they are refused. Default 8 MiB.
	MaxQueue int
	// MaxUncommitted bounds the bytes of entries that a leader has in flight per
	// shard; beyond it commits are refused. Default 16 MiB.
	MaxUncommitted uint64
	// LogTail is how many bytes of each shard's newest entries stay in memory.
	// Default 1 MiB; an older entry costs a read from disk.
	LogTail int
	// LogRest is the least number of bytes that a truncation removes between flushes
	// from a log that every replica has; a flush removes all of it. Default 64 KiB;
	// with much less every few entries cost a truncation.
	LogRest int
	// LogKeep is how many bytes of applied entries a shard's log keeps for
	// followers that lag; beyond twice that it is truncated and they need a
	// snapshot. Default 4 MiB; all logs are read when the node starts.
	LogKeep int
	// LogHold bounds the bytes of a shard's log while a replica gets a snapshot and
	// until it has caught up; while a larger snapshot travels its size is the bound.
	// Default 64 MiB. If the shard writes more meanwhile, another snapshot is needed.
	LogHold int
}

func (c Config) withDefaults() Config {
	if c.Level == nil {
		c.Level = func() int { return level.First }
	}
	c.ElectionTicks = cmp.Or(c.ElectionTicks, 10)
	c.MaxEntry = cmp.Or(c.MaxEntry, 1<<20)
	c.MaxQueue = cmp.Or(c.MaxQueue, 8<<20)
	c.MaxUncommitted = cmp.Or(c.MaxUncommitted, 16<<20)
	c.LogTail = cmp.Or(c.LogTail, 1<<20)
	c.LogRest = cmp.Or(c.LogRest, 64<<10)
	c.LogKeep = cmp.Or(c.LogKeep, 4<<20)
	c.LogHold = cmp.Or(c.LogHold, 64<<20)
	return c
}
