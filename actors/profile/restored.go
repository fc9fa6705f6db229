package profile

import (
	"fmt"
	"slices"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/cluster"
)

// Restored is what a new cluster takes over of a stored profile: its members, whose
// tokens stay valid, and their logins, but no link codes. The next membership number is
// larger than any that the old cluster can have given after the backup, so a device that
// was removed there since, and joins again here, does not revive its old tokens.
func Restored(h cluster.Head, r *actors.Restore) (cluster.Head, error) {
	if h.Schema != schema {
		return h, fmt.Errorf("%w: %d", errSchema, h.Schema)
	}
	s, err := decode(h.State)
	if err != nil {
		return h, err
	}
	s.codes, s.issued = nil, nil
	s.lastMembership = max(s.lastMembership, r.Beyond.UnixMilli())
	s.logins = slices.DeleteFunc(s.logins, func(l *SharedLogin) bool { return r.Erased(l.GetDevice().Address()) })
	s.open = intent.Restored(s.open, r)
	h.State, err = s.encode()
	return h, err
}

// Devices are the identifiers of the members of a stored profile.
func Devices(h cluster.Head) ([]string, error) {
	s, err := decode(h.State)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(s.members))
	for i := range s.members {
		ids[i] = s.members[i].device
	}
	return ids, nil
}
