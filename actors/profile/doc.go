// Package profile is the entity behind one viewer's single sign-on: which
// devices are members, and which link codes let another device join.
//
// A profile is named by realm, namespace and subject ([ID]). Its actor is the
// single writer of its [State]; what it does with a command is decided by pure
// functions of (state, command, now), one file per subject:
//
//	membership.go  mint: the first device founds the profile, others join it
//	linkcode.go    a code is added, redeemed once, replaced, cancelled
//	confirm.go     its origin sees who comes with it, and has the last word
//	unlink.go      devices leave; a profile without members keeps a tombstone
//	list.go        reads: refresh, list, show
//	login.go       logins at MVPDs that members made, which all of them find
//	expire.go      what the sweep drops
//
// Tokens are not stored. A token names its device by digest ([Did]) and the number of
// its membership; it is valid while that very membership is alive, so an unlinked device
// loses access at the instant of the commit, and one that joins again gets a new number.
// Numbers never repeat: each is larger than the last and not before the clock, and a
// profile that lost its last member keeps the last number for as long as a token can
// live.
//
// A link code is consumed and its device added in one commit. The profile is
// the only judge of one-time use; the link directory is an index to it.
//
// The device that created a code, its origin, can read what became of it for one lifetime
// after its end. If the configuration says so, a device of another network does not join
// at once: the first one gets the code and waits, and the origin lets it join or ends the
// code. A device of the code's own network does not wait and goes first. Each of these
// steps is one commit, so that no answer to the origin and no decision of it is lost.
//
// A login at an MVPD is a copy of the one that a device has made (package
// actors/login). The last good one at each MVPD is found; all are remembered, so
// that a single logout reaches every device that logged in under the profile. A
// platform's profile has logins and no members.
//
// lastSeen is the one soft field: exact in memory, written with another change
// or when the stored one is over an hour old, and before the actor is passivated.
//
// Other packages use [Client].
package profile
