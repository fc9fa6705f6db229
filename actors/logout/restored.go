package logout

import (
	"ssod/actors"
	"ssod/actors/intent"
	"ssod/cluster"
)

// Restored is what a new cluster takes over of a stored logout: nothing. The logins
// are gone already; the browser on its way to the MVPD has to begin again.
func Restored(h cluster.Head, _ *actors.Restore) (stays bool, err error) {
	_, err = intent.Decode[State](h)
	return false, err
}
