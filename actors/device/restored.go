package device

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/grant"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/cluster"
)

// Restored is what a new cluster takes over of a stored device: its logins, and its
// current session, since one that has finished may still bring its login.
func Restored(h cluster.Head, r *actors.Restore) (cluster.Head, error) {
	s, err := intent.Decode[State](h)
	if err != nil {
		return h, err
	}
	for _, one := range s.Logins {
		one.Grant = nil
		one.Shared = slices.DeleteFunc(one.Shared, func(to *login.Sharing) bool { return r.Erased(to.GetProfile().Address()) })
	}
	s.Open = slices.DeleteFunc(intent.Restored(s.Open, r), func(i *intent.Intent) bool {
		return i.GetTo().GetKind() == grant.KindName // there are none
	})
	h.State, err = proto.MarshalOptions{Deterministic: true}.Marshal(s)
	return h, err
}
