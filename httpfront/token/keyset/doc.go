// Package keyset reads the JSON Web Key Sets of others (RFC 7517): identity
// services and device platforms, in files or at URLs.
//
// A set is read key by key. Its owner may add keys for other readers, of newer types, or
// broken ones, and to refuse the whole set would lock everybody out (RFC 7517, 5). So each
// key is read by itself: unusable ones are named in [Set.Unused], for the log, and a set is
// an error only when nothing of it can be used.
//
// A key serves one algorithm, which follows from its type and never from a token:
//
//	RSA       RS256  2048 to 8192 bits
//	EC P-256  ES256
//	oct       HS256  32 bytes or more, and never in a set that is published
//
// A key for another purpose (use, key_ops, alg) is ignored, silently if use or key_ops say
// so: encryption keys next to signing keys are normal. Of private keys the public part is
// taken, except from a published set: there everybody could sign with it. Certificates
// (x5c) are ignored, since the members of the key itself are required anyway.
package keyset
