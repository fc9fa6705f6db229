package core

import (
	"time"

	"ssod/persistence/level"
)

// Config is what a [Core] needs. The zero value of a limit takes its default.
type Config struct {
	// Node is this node.
	Node NodeID
	// Store is the node's disk. The core reads the log from it; everything
	// else is in the jobs that a round returns.
	Store Store
	// Now is the node's clock, for the time in entries.
	Now func() time.Time
	// Measured is what the clock of another node says now, as far as it was
	// measured; false when it was not. It must notice at once when this node's
	// own clock is set. nil: clocks are not compared, and this node's is right.
	Measured func(NodeID) (time.Time, bool)

	// Level is the format level of the cluster, as far as this node knows: entries and
	// frames have the formats that belong to it. nil: the first.
	Level func() int

	// ElectionTicks is how many ticks a follower waits for its leader, and up
	// to twice that, before it stands for election. Default 10: at ticks of
	// 100 ms a failover takes 1.1 to 1.7 s. Disks stall for up to 140 ms, so
	// much less would make leaders fall over a slow fsync.
	ElectionTicks int
	// MaxEntry is how many bytes of commits are packed into one entry.
	// Default 1 MiB.
	MaxEntry int
	// MaxQueue is how many bytes of commits may wait for a round per shard;
	// over it they are refused. Default 8 MiB.
	MaxQueue int
	// MaxUncommitted is how many bytes of entries a leader may have in flight
	// per shard; over it commits are refused. Default 16 MiB.
	MaxUncommitted uint64
	// LogTail is how many bytes of each shard's newest entries stay in memory.
	// Default 1 MiB; an older entry costs a read from disk.
	LogTail int
	// LogRest is how many bytes of a shard's log that every replica has, and no
	// state needs any more, go at a time; a flush lets go of all of it. Default
	// 64 KiB: much less makes a truncation of every few entries.
	LogRest int
	// LogKeep is how many bytes of applied entries a shard's log keeps for
	// followers that lag; beyond twice that it is truncated and they need a
	// snapshot. Default 4 MiB; all logs are read when the node starts.
	LogKeep int
	// LogHold is how many bytes a shard's log may have while a replica gets a snapshot
	// and until it has caught up afterwards; a longer snapshot allows as much as it has.
	// Default 64 MiB. Less than the shard writes meanwhile and it needs another one.
	LogHold int
}

func (c Config) withDefaults() Config {
	if c.Level == nil {
		c.Level = func() int { return level.First }
	}
	orDefault(&c.ElectionTicks, 10)
	orDefault(&c.MaxEntry, 1<<20)
	orDefault(&c.MaxQueue, 8<<20)
	orDefault(&c.MaxUncommitted, 16<<20)
	orDefault(&c.LogTail, 1<<20)
	orDefault(&c.LogRest, 64<<10)
	orDefault(&c.LogKeep, 4<<20)
	orDefault(&c.LogHold, 64<<20)
	return c
}

func orDefault[T int | uint64](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}
