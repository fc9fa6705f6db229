// Package registration is dynamic client registration: software statements,
// client credentials and access tokens (RFC 7591, RFC 6749;
// httpfront/docs/registration.md#life-of-a-client).
//
// An operator makes a software statement, a signed list of what an application
// may do. Each instance of the application registers with it once and gets a
// client id and a secret; with these it gets access tokens.
//
// Only statements and revocations are stored. A client id
//
//	statement "." key version "." 128 random bits
//
// names everything that its secret and its rights follow from: the secret is
// HMAC(key version, client id), and what the client may do is what its
// statement says today. So a million clients cost nothing, and every node can
// check each of them.
//
// A client sends its credentials in the form, as the API that apps know documents
// it, or as HTTP Basic, as libraries do; file credentials.go says why.
//
// [Service.Judge] is asked on every call of the API: it refuses the clients of
// revoked statements and keys, and revoked clients. It reads a view in memory
// that is made anew after each change of the tables.
package registration
