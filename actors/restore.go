package actors

import "time"

// Restore says into what a new cluster takes over what a backup has of an old one. The
// packages of entities decide by it what of a stored entity stays; each has a function
// Restored.
type Restore struct {
	// At is when the new cluster begins.
	At time.Time
	// Beyond is later than anything that the old cluster can have dated.
	Beyond time.Time
	// Erased reports whether an entity is to be forgotten, and with it what others
	// have of it.
	Erased func(Address) bool
}
