package session

import (
	"crypto/sha256"

	"ssod/actors"
)

// KindName is the name of the kind in addresses and keys.
const KindName = "session"

// ID names a session.
type ID struct {
	ServiceProvider string
	Code            string // the authentication code
}

// Address is where the session's actor is asked.
func (id ID) Address() actors.Address {
	return actors.Address{Kind: KindName, Identity: actors.Identity{id.ServiceProvider, id.Code}}
}

// Digest is how a secret of a browser is kept.
func Digest(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}
