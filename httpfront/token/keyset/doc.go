// Package keyset reads the JSON Web Key Sets of others (RFC 7517): identity
// services and device platforms, in files or at URLs.
//
// A set is read key by key. Its owner adds keys for other readers, of types that
// are younger than this program, and sometimes one that is broken; whoever refuses
// the whole set then locks everybody out (RFC 7517, 5). So each key stands for
// itself: what is of no use here is left out and named in [Set.Unused], which
// somebody logs, and a set is an error only when nothing of it can be used.
//
// A key serves one algorithm, which follows from its type and never from a token:
//
//	RSA       RS256  2048 to 8192 bits
//	EC P-256  ES256
//	oct       HS256  32 bytes or more, and never in a set that is published
//
// A key that says it is for something else (use, key_ops, alg) is left out, one
// with use or key_ops without a word: encryption keys beside signing keys are
// nothing to report. Of private keys the public part is taken, except from a
// published set: there everybody could sign with it. Certificates (x5c) are not
// looked at, since the members of the key itself must be there anyway.
package keyset
