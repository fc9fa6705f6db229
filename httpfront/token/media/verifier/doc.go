// Package verifier checks media tokens in the backend of an app: was playing
// this resource permitted just now? It needs nothing but the standard library
// and the realm's public keys, which the service has at
// /.well-known/{realm}/jwks.json:
//
//	v, err := verifier.New(jwks)
//	...
//	token, result := v.Verify(serialized, "channel-1")
//	if result != verifier.Valid {
//		refuse(result)
//	}
//
// Fetch the keys at the start and again every few minutes, and whenever a token
// has [InvalidSignature]: new keys are published before they sign.
//
// A token is good for one playback. The verifier keeps nothing, so it is the
// backend that refuses a token it has seen before, by [Token.ID], until
// [Token.Expires].
package verifier
