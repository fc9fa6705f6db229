// Package device is the entity behind one app on one device: the logins at
// MVPDs that were made there (its regular profiles), and the authentication
// session that is current.
//
// A device is named by service provider, client and device identifier ([ID]),
// which is exactly how far a regular profile reaches: another app, or the same
// one with new credentials, is another device. What the actor does with a
// command is decided by pure functions of (state, command, now):
//
//	session.go  one session is current; its predecessor is superseded
//	login.go    a login is kept, read, ended
//	leave.go    logout, here and under the profiles that the app named
//	expire.go   what the sweep drops
//
// The device decides which login counts: one made in a session that is no longer current
// is not kept.
//
// Changes that concern profiles and sessions, too, are intents in the device's own
// commit (packages actors/intent and actors/login).
//
// Other packages use [Client].
package device
