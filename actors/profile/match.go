package profile

import (
	"slices"

	"ssod/cluster"
)

// HasDevice reports whether a device is a member of a stored profile or waits to become
// one.
func HasDevice(h cluster.Head, device []byte) bool {
	s, err := decode(h.State)
	return err == nil && h.Schema == schema && (s.member(Did(device)) != nil || s.waits(Did(device)))
}

// waits reports whether a device waits with a link code.
func (s *state) waits(did [DidSize]byte) bool {
	return slices.ContainsFunc(s.codes, func(c code) bool { return c.guest != nil && c.guest.did == did })
}
