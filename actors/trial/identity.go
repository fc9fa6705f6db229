package trial

import (
	"crypto/sha256"

	"ssod/actors"
)

// The names of the kinds in addresses and keys.
const (
	KindName    = "trial"
	KeyKind     = "trialkey"
	AddressKind = "trialaddress"
	EpochKind   = "trialepoch"
)

// What a trial is found by: the third part of a key's identity.
const (
	byDevice   = "device"
	byIdentity = "identity"
)

// MVPD names a provider of temporary access.
type MVPD struct{ Realm, ID string }

// Trial is where a trial's actor is asked.
func (m MVPD) Trial(id []byte) actors.Address {
	return actors.Address{Kind: KindName, Identity: actors.Identity{m.Realm, m.ID, string(id)}}
}

func (m MVPD) device(id []byte) actors.Address {
	return actors.Address{Kind: KeyKind, Identity: actors.Identity{m.Realm, m.ID, byDevice, DeviceDigest(id)}}
}

func (m MVPD) identity(digest []byte) actors.Address {
	return actors.Address{Kind: KeyKind, Identity: actors.Identity{m.Realm, m.ID, byIdentity, string(digest)}}
}

func (m MVPD) address(network []byte) actors.Address {
	return actors.Address{Kind: AddressKind, Identity: actors.Identity{m.Realm, m.ID, string(network)}}
}

func (m MVPD) epoch() actors.Address {
	return actors.Address{Kind: EpochKind, Identity: actors.Identity{m.Realm, m.ID}}
}

// DeviceDigest names a device in a key. It only makes names short: devices are stored by
// their identifiers elsewhere.
func DeviceDigest(device []byte) string {
	sum := sha256.Sum256(device)
	return string(sum[:])
}

// ByDevice reports whether an entity is what a device's trial is found by, and says in which
// realm.
func ByDevice(a actors.Address, device []byte) (realm string, ok bool) {
	if a.Kind != KeyKind || len(a.Identity) != 4 || a.Identity[2] != byDevice || a.Identity[3] != DeviceDigest(device) {
		return "", false
	}
	return a.Identity[0], true
}

// IsIdentity reports whether the identity of a key is that of an identity.
func IsIdentity(key actors.Identity) bool { return len(key) == 4 && key[2] == byIdentity }
