package grant

import "ssod/actors"

// KindName is the name of the kind in addresses and keys.
const KindName = "grant"

// ID names the grant of a login.
type ID struct {
	Realm string
	MVPD  string
	Login []byte // the login's id
}

// Address is where the grant's actor is asked.
func (id ID) Address() actors.Address {
	return actors.Address{Kind: KindName, Identity: actors.Identity{id.Realm, id.MVPD, string(id.Login)}}
}
