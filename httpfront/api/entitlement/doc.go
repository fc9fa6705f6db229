// Package entitlement serves the entitlement API: how an app finds out whether a
// viewer has a subscription and may watch; httpfront/docs/entitlement.md#entitlement-api.
//
//	GET  /api/v2/{sp}/configuration          Configuration   which MVPDs there are
//	POST /api/v2/{sp}/sessions               CreateSession   begin a login, or go on
//	POST /api/v2/{sp}/sessions/{code}        ResumeSession   complete its parameters
//	GET  /api/v2/{sp}/sessions/{code}        ReadSession
//	GET  /api/v2/{sp}/profiles               AllProfiles     what logins are found
//	GET  /api/v2/{sp}/profiles/{mvpd}        ProfileByMVPD
//	GET  /api/v2/{sp}/profiles/code/{code}   ProfileByCode   polled during a login
//	POST /api/v2/{sp}/decisions/..           Authorize, Preauthorize
//	GET  /api/v2/{sp}/logout/{mvpd}          Logout
//	POST /api/v2/{sp}/sessions/sso/{partner} CreatePartnerSession
//	POST /api/v2/{sp}/profiles/sso/{partner} PartnerProfile
//
// and in the viewer's browser, with pages instead of JSON:
//
//	GET /api/v2/authenticate/{sp}/{code}     Authenticate    to the MVPD's login, or first the question:
//	POST /api/v2/authenticate/{sp}/{code}    Confirm         is this your device?
//	GET /api/v2/authenticate/callback        LoginCallback   and back to the app
//	GET /api/v2/logout-agent/{id}            LogoutAgent     to the MVPD's logout
//	GET /api/v2/logout-agent/callback        LogoutCallback  and back to the app
//	GET /activate                            ActivateBrands  whose code it is
//	GET /activate/{sp}                       Activate        a code is typed
//	POST /activate/{sp}                      ActivateCode    and opened
//	GET /activate/{sp}/{code}                ActivateSession a TV provider is chosen; how it ended
//	POST /activate/{sp}/{code}               ActivateLogin   to the MVPD's login, or first the question
//
// # Who finds which login
//
// A login belongs to the app on the device that made it (package actors/device).
// Others find it through an identity that a request proves: a service token, or
// the platform's subject token (package actors/profile). A device's own login
// goes before shared ones. Everything is read behind a barrier, so what was
// logged out or unlinked a moment ago is not found on any node.
//
// # Whose device it is
//
// A session's code is in a link, and a viewer who logs in there logs in the device that
// began the session. A session knows the network of its device; in another network the
// viewer is asked before the browser is sent to the MVPD (session.confirm says when). The
// answer carries a token that is made for the browser's cookie. A viewer who does not know
// the device ends the session.
//
// # Second screens
//
// A viewer types the code of a device at /activate. The browser that has opened a session
// gets an address of it with a proof, a MAC under its cookie, and is told there how it goes
// on and how it ended. For a browser without the proof nothing is looked up, and to one that
// types a code that is over the code is not valid. The MVPD that is chosen is part of the
// attempt (see State) and not of the session, so a choice changes nothing either.
//
// # Guessing
//
// All calls that read a code, and the page where one is typed, share a budget: 60 different unknown codes, by an address on
// a node in a quarter of an hour. Then none is looked up for it, so that a live one looks
// no different.
//
// # State
//
// Opening the link of a login stores nothing: the secrets that a browser must bring back
// from the MVPD are derived from its cookie and a key of the realm, so any node can check
// them and none keeps them.
//
// A login's tokens at its MVPD are used while a viewer is authorized (package actors/grant).
// Such a use may outlast its request, so [Service.Close] waits for those under way.
//
// A [Service] keeps nothing but guesses and permits: what an MVPD permitted is not asked
// again while its time runs. A permit hangs on the login's id and is looked up
// after the login was found, so that it dies with it everywhere.
package entitlement
