package mvpd

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
)

// Secrets protect one login. A connector uses those that its protocol has.
type Secrets struct {
	// State travels with the user agent and comes back in the callback. It begins
	// with the name of the login.
	State string
	// Nonce comes back inside what the provider signs (OpenID Connect Core,
	// 3.1.2.1).
	Nonce string
	// Verifier never leaves the service before the exchange (RFC 7636, 4.1).
	Verifier string
}

// DeriveSecrets derives the secrets of a login from a key that its user agent and
// nobody else makes the caller know, 256 bits each. They are the same when the user
// agent comes back, so that nothing is kept meanwhile. Every login needs a name of
// its own, which is visible.
func DeriveSecrets(key []byte, name string) Secrets {
	return Secrets{
		State: name + "." + derive(key, "state", name),
		Nonce: derive(key, "nonce", name), Verifier: derive(key, "verifier", name),
	}
}

// Challenge is what the provider is told of the verifier at first: method S256
// of RFC 7636, 4.2.
func (s Secrets) Challenge() string {
	sum := sha256.Sum256([]byte(s.Verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func derive(key []byte, purpose, name string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(purpose + "\x00" + name))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
