package farewell

import (
	"ssod/actors"
	"ssod/actors/intent"
	"ssod/cluster"
)

// Restored is what a new cluster takes over of a stored farewell: nothing. The logins
// are gone where they were; the browser that had the way to the MVPD has lost it.
func Restored(h cluster.Head, _ *actors.Restore) (stays bool, err error) {
	_, err = intent.Decode[State](h)
	return false, err
}
