package profile

import (
	"crypto/sha256"
	"encoding/base64"

	"ssod/actors"
)

// KindName is the name of the kind in addresses and keys.
const KindName = "profile"

// NamespaceSSO is the namespace of profiles founded with X-SSO-ID. An external
// identity's namespace is its issuer.
const NamespaceSSO = "sso"

// ID names a profile.
type ID struct {
	Realm, Namespace, Subject string
}

// Address is where the profile's actor is asked.
func (id ID) Address() actors.Address {
	return actors.Address{Kind: KindName, Identity: actors.Identity{id.Realm, id.Namespace, id.Subject}}
}

// DidSize is the length of a device digest.
const DidSize = 16

// Did is the digest that stands for a device in tokens: the first 16 bytes of
// SHA-256 of the canonical device id, which is the padded standard Base64 of
// the decoded identifier (httpfront/docs/headers.md#ap-device-identifier).
func Did(device []byte) [DidSize]byte {
	var canonical [352]byte // fits the longest identifier, 256 bytes
	sum := sha256.Sum256(base64.StdEncoding.AppendEncode(canonical[:0], device))
	return [DidSize]byte(sum[:DidSize])
}
