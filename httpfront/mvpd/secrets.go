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

// DeriveSecrets derives the secrets of a login, 256 bits each, from a key that only its
// user agent can bring. They are the same when the user agent returns, so nothing is stored
// meanwhile. Every login needs a unique name, which is visible.
func DeriveSecrets(key []byte, name string) Secrets {
	return Secrets{
		State: name + "." + derive(key, "state", name),
		Nonce: derive(key, "nonce", name), Verifier: derive(key, "verifier", name),
	}
}

// Challenge is the challenge of the verifier: method S256 of RFC 7636, 4.2.
func (s Secrets) Challenge() string {
	sum := sha256.Sum256([]byte(s.Verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func derive(key []byte, purpose, name string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(purpose + "\x00" + name))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
