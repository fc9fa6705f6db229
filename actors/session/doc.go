// Package session is the entity behind an authentication code: one login in
// progress, from the app's request to the moment a viewer has logged in.
//
// A session is named by service provider and code ([ID]); the provider is part of
// the name so that a code of one cannot even be looked up by another. What the actor
// does with a command is decided by pure functions of (state, command, now):
//
//	create.go   an app begins a session, completes its parameters, reads it
//	browser.go  a browser opens the login, comes back from the MVPD, finishes
//	over.go     a session is superseded, and dropped when it is over
//
// A code may be open in any number of browsers and tabs, which the session does not note:
// anybody with the code can open it. The browser that comes back from the MVPD is checked
// before the session is asked (package httpfront/api/entitlement). The first login
// finishes the session; every later request of the same browser, from another tab for
// instance, gets the same answer. Another browser is too late. A viewer who was asked to
// log in on somebody else's device ends it.
//
// The login itself is given to the device, as an intent in the commit that
// finishes the session (packages actors/intent and actors/login).
//
// A session is remembered for an hour after its end, so that the app is told "over" and
// not "unknown".
//
// Other packages use [Client].
package session
