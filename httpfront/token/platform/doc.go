// Package platform reads subject tokens: what a device's platform says about its viewer, in
// the header Adobe-Subject-Token or Roku's; httpfront/docs/headers.md#platform-identity.
// The viewer is known by issuer and subject, on every device of the platform.
//
// # What is accepted
//
// Everything follows from the platforms that the realm configures, nothing from
// the token: its issuer chooses the platform, the platform says which
// algorithms may have signed it, and each key serves one algorithm.
//
//	JWS  RS256 (RSA of 2048 to 8192 bits), ES256 (P-256), HS256 (32 bytes or more)
//	JWE  compact, RSA-OAEP-256 or dir, with A256GCM, not compressed
//
// A JWE must hold a JWS of the same platform: anybody can encrypt to a public
// key. Only where a platform has no signing keys at all, and shares a symmetric
// key for dir instead, does that key vouch for plain claims.
//
// exp is required; iat and nbf may be a minute ahead; aud must name the
// platform's audience; iss must be the platform's.
//
// # Work
//
// Tokens are untrusted. Before any cryptography package jose reads a token, and some
// platform of the realm must have its algorithm. RSA decryption, the most expensive step,
// happens in slots: one for each CPU but one, at most four attempts for one token, and a
// bounded queue.
//
// The keys of a platform are in files, or published at a URL (packages keyset and
// keyurl): then public keys only, and a configuration that stays the same keeps what was
// fetched. The first request fetches, and waits for it at most a second.
//
// A valid token is cached by its SHA-256 until it expires, in a bounded cache of one
// configuration and one version of the keys.
//
// An unacceptable token counts as absent; the request goes on without. If there was no time
// to decrypt it, the request fails and is repeated.
package platform
