//go:build nextlevel

package core

// This build stands for the next version, so that tests can upgrade a cluster to it: at
// level 3 it has an entry and a frame that this version does not know.
const (
	newestEntry = 4
	newestFrame = 3
)

// entryAt is the format of entries of commits at a level.
func entryAt(level int) byte {
	if level >= 3 {
		return newestEntry
	}
	return entryFrom(level)
}

// frameAt is the format of frames at a level.
func frameAt(level int) byte {
	if level >= 3 {
		return newestFrame
	}
	return frameVersion
}
