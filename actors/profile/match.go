package profile

import "ssod/cluster"

// HasMember reports whether a device is a member of the profile that is stored.
func HasMember(h cluster.Head, device []byte) bool {
	s, err := decode(h.State)
	return err == nil && h.Schema == schema && s.member(Did(device)) != nil
}
