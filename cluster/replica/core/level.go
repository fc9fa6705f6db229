//go:build !nextlevel

package core

// The newest formats that this version reads.
const (
	newestEntry = eventsVersion
	newestFrame = frameVersion
)

// entryAt is the format of entries of commits at a format level of the cluster.
func entryAt(level int) byte { return entryFrom(level) }

// frameAt is the format of frames at a level.
func frameAt(int) byte { return frameVersion }
