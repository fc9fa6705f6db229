// Package linkdirectory is the entity that knows which link code belongs to
// which profile. There is one per realm, so it serves many requests at once.
//
// A code is given out by [Client.Reserve]: unique in the realm, two positions
// away from every live code, and longer where codes are dense. [Client.Resolve]
// finds its profile and charges one guess; the profile alone decides whether
// the code can be redeemed, so the directory is an index that may be behind.
// The invariant is one-way: a code that is live in a profile is in the
// directory and points to that profile.
//
//	reserve.go   choosing a code: density, spacing, attempts
//	resolve.go   looking a code up, charging and settling guesses
//	window.go    failed guesses per device and per address
//	realm.go     the realm's budget and the closing of short codes
//	directory.go the codes: live, kept from reuse, gone
//	retired.go   codes given up, one record for many
//	batch.go     what the next commit writes
//	entity.go    the actor: one commit in flight carries many reservations
//
// A code itself is never stored, sent or logged. Both ends derive it from the
// realm's key, the request id and the number of the attempt ([Code]); a keyed
// hash ([Hash]) stands for it everywhere else.
//
// The life of a code, with its lifetime T:
//
//	0 ..... T         live: the profile accepts it
//	T ..... T + 60 s  resolvable: repeats and lost races find the profile
//	.. to ... 2T      kept: its number is given to nobody else, because it may
//	                  still be on a screen
//
// A code that was used stays resolvable for 60 s, one that was given up is not
// resolvable at all, and both are kept for one more lifetime.
package linkdirectory
