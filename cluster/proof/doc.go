// Package proof lets the two ends of a connection show each other that they know
// the cluster's secret, before anything else is said.
//
//	dialer                                      acceptor
//	"ssod" | version | nonce           ----->
//	                                   <-----   "ssod" | version | nonce | MAC
//	MAC | statement                    ----->
//	                                   <-----   MAC | statement
//
// A nonce is 32 random bytes, a MAC is HMAC-SHA256 under a key of the port
// ([secret.Ring.For]): the first key proves, all are accepted. Each MAC is over the
// version, the port, who says it, both nonces, the address, the binding and what it
// comes with; the last one over the one before, too.
//
// The address is the one that was dialed, to one end, and the one that it
// advertises, to the other. So whoever stands at an address of his own and passes
// everything on to a node convinces nobody: the dialer proves nothing to him, and
// the statements, in which the ends say who they are, are never sent. The role
// keeps him from returning to a node what it said itself.
//
// The binding is keying material that is exported from TLS (RFC 5705; RFC 8446,
// 7.5), none where there is no TLS. With it a proof is worth nothing on any other
// connection. Without TLS what follows the handshake can be read and changed by
// who carries it.
//
// An acceptor tells a stranger which version it speaks, and nothing else.
package proof
