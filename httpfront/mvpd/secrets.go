package mvpd

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// Secrets protect one login. A connector uses those that its protocol has.
type Secrets struct {
	// State travels with the user agent and comes back in the callback. The
	// caller may put what finds the login in front of it.
	State string
	// Nonce comes back inside what the provider signs (OpenID Connect Core,
	// 3.1.2.1).
	Nonce string
	// Verifier never leaves the service before the exchange (RFC 7636, 4.1).
	Verifier string
}

// NewSecrets draws 256 bits for each.
func NewSecrets() Secrets {
	return Secrets{State: draw(), Nonce: draw(), Verifier: draw()}
}

// Challenge is what the provider is told of the verifier at first: method S256
// of RFC 7636, 4.2.
func (s Secrets) Challenge() string {
	sum := sha256.Sum256([]byte(s.Verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func draw() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}
