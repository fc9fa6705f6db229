//go:build !nextlevel

package core

// Formats that a version writes at the format level of its cluster, and the newest that
// it reads. Level 1 has one of each.
const (
	newestEntry = resetVersion
	newestFrame = frameVersion
)

// entryAt is the format of entries of commits at a level.
func entryAt(int) byte { return entryVersion }

// frameAt is the format of frames at a level.
func frameAt(int) byte { return frameVersion }
