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
// For the dialer the address is the one that it dialed, for the acceptor the one that it
// advertises. So a relay at an address of its own convinces neither end, and the statements,
// in which the ends say who they are, are never sent. The role prevents reflection.
//
// The binding is keying material that is exported from TLS (RFC 5705; RFC 8446, 7.5), none
// without TLS. With it a proof is void on any other connection. Without TLS what follows the
// handshake can be read and changed on its way.
//
// An acceptor tells a stranger only its version.
package proof
