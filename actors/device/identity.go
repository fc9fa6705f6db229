package device

import "ssod/actors"

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
