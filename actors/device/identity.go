package device

import (
	"ssod/actors"
	"ssod/actors/intent"
)

// KindName is the name of the kind in addresses and keys.
const KindName = "device"

// ID names an app on a device.
type ID struct {
	ServiceProvider string
	Client          string // client id of the access token
	Device          []byte // decoded AP-Device-Identifier
}

// Address is where the device's actor is asked.
func (id ID) Address() actors.Address {
	return actors.Address{Kind: KindName, Identity: actors.Identity{id.ServiceProvider, id.Client, string(id.Device)}}
}

// IDAt is the device at a place; false when that is something else.
func IDAt(p *intent.Place) (ID, bool) {
	if p.GetKind() != KindName || len(p.GetIdentity()) != 3 {
		return ID{}, false
	}
	parts := p.GetIdentity()
	return ID{ServiceProvider: string(parts[0]), Client: string(parts[1]), Device: parts[2]}, true
}
