package actors

import "time"

// Restore describes the new cluster that takes over a backup of an old one. By it the
// function Restored of each entity's package decides what stays of a stored entity.
type Restore struct {
	// At is when the new cluster begins.
	At time.Time
	// Beyond is later than anything that the old cluster can have dated.
	Beyond time.Time
	// Erased reports whether an entity is to be forgotten, and with it what others
	// have of it.
	Erased func(Address) bool
}
