package profile

import (
	"slices"

	"ssod/cluster"
)

// HasDevice reports whether a device is a member of the profile that is stored, or
// waits to become one.
func HasDevice(h cluster.Head, device []byte) bool {
	s, err := decode(h.State)
	return err == nil && h.Schema == schema && (s.member(Did(device)) != nil || s.waits(Did(device)))
}

// waits reports whether a device came with a link code and is remembered for it.
func (s *state) waits(did [DidSize]byte) bool {
	return slices.ContainsFunc(s.codes, func(c code) bool { return c.guest != nil && c.guest.did == did })
}
