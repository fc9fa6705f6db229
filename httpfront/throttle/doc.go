// Package throttle limits the requests per second of every client address.
//
// An IPv6 client is its /64, as for guesses of link codes: a host may call from any address
// of its network. Each client has a token bucket of capacity 1 + burst that refills at the
// rate; httpfront/docs/limits.md#throttle. A rejected call takes no token, so a client that
// waits a second after a 429 is served again. Buckets are per node, in a bounded map, and
// dropped when unused for 60 s; the next one is full, as a kept one would be after that
// time at any sensible rate.
//
// [ClientAddress] decides who the client is: the peer, or what a trusted proxy
// says.
package throttle
