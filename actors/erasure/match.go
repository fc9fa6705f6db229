package erasure

import (
	"bytes"

	"ssod/actors"
	"ssod/actors/device"
	"ssod/actors/intent"
	"ssod/actors/profile"
	"ssod/actors/session"
	"ssod/actors/trial"
	"ssod/actors/upstream"
	"ssod/cluster"
)

// Match reports whether a stored entity concerns a device. A key of a trial also concerns
// the id of its trial.
func Match(kind, identity string, h cluster.Head, id []byte) bool {
	switch kind {
	case device.KindName:
		parts, err := actors.DecodeIdentity(identity)
		return err == nil && len(parts) == 3 && parts[2] == string(id)
	case session.KindName:
		s, err := intent.Decode[session.State](h)
		if err != nil {
			return false
		}
		at, ok := device.IDAt(s.GetParty().GetDevice())
		return ok && bytes.Equal(at.Device, id)
	case upstream.KindName:
		return upstream.HasDevice(h, id)
	case profile.KindName:
		return profile.HasDevice(h, id)
	case trial.KeyKind:
		parts, err := actors.DecodeIdentity(identity)
		_, its := trial.ByDevice(actors.Address{Kind: kind, Identity: parts}, id)
		return err == nil && its || trial.LeadsTo(h, id)
	}
	return false
}
