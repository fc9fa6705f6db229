// Package throttle lets every client address make so many requests per second.
//
// An IPv6 client is its /64, as for guesses of link codes: a host may call from
// any address of the network it is in. Each client has a token bucket of capacity 1 + burst that refills at the
// rate; httpfront/docs/limits.md#throttle. A rejected call costs nothing, so a
// client that waits a second after a 429 is served again. Buckets are per
// node, live in a bounded map and are dropped when nobody asked for 60 s;
// a bucket that was dropped is full again, which is what it would be after
// that time at any sensible rate.
//
// [ClientAddress] decides who the client is: the peer, or what a trusted proxy
// says.
package throttle
