// Package sandbox is a TV provider that is part of the service, to try every flow without
// a real one: a login page, decisions and logout. It is configured as an MVPD of kind
// sandbox, and has no passwords: the page lets anybody choose a viewer. Therefore the
// configuration check refuses it when publicURL is a public address, unless allowPublic is
// set.
//
// # Viewers
//
// What happens depends on the viewer who logs in; the page says so too:
//
//	ada    is permitted everything
//	ben    is permitted what ends in 1
//	cleo   has no subscription: everything is denied
//	dora   everything is denied by parental controls
//	emil   logged in at home and has left it
//	finn   logs in; the first decision invalidates the login
//	gwen   logs in; at the first decision she is unknown
//	hugo   is slow: login and decisions take two seconds
//	ines   decisions: the provider does not answer in its time
//	jack   decisions: the answer is not readable
//	kira   decisions: no answer at all, until the request's time is up
//	leo    cannot log in: the provider fails
//
// # How a login goes
//
// The connector and the pages are two sides of a small protocol like OAuth's
// with PKCE. They share no state, only a key of the realm, so every node serves
// both. A ticket is a message from one side to the other through the browser,
// under an HMAC that also covers its purpose and its end:
//
//	Begin     ticket "login"   state, nonce, challenge, callback
//	page      ticket "grant"   viewer, nonce, challenge; one minute
//	Complete  checks the grant against nonce and verifier
//	Logout    ticket "logout"  where to return
//
// As the callback and the return URL come in tickets only, the pages send a
// browser nowhere else. A cookie remembers who logged in last, as providers do:
// the next login offers that viewer first, and the logout takes it away.
package sandbox
