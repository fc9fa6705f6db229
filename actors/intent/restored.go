package intent

import (
	"slices"

	"ssod/actors"
)

// Restored returns the open intents that a new cluster carries out: all but those to
// erased entities.
func Restored(open []*Intent, r *actors.Restore) []*Intent {
	return slices.DeleteFunc(slices.Clone(open), func(i *Intent) bool { return r.Erased(i.GetTo().Address()) })
}
