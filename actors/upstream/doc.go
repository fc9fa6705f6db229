// Package upstream is the entity behind a subject, or a session, at a TV provider: it knows
// which logins here came from there. So when the provider says that they have ended (a
// back-channel logout of OpenID Connect, a LogoutRequest of SAML), they end on every
// device.
//
// A login is entered in that of its subject and in that of its session, if the provider
// named one ([Of]):
//
//	device   --Enter--> upstream     a login is kept
//	device   --Remove-> upstream     it ended, or was replaced
//	upstream --End----> device       the provider ended it (package actors/login)
//
// All of these are intents (package intent), so an index lags behind its logins by a moment,
// and by longer where nodes died. What the provider ends is therefore remembered for ten
// minutes ([Overtaking]): a login that is entered later and comes from before is ended at
// once. Before means issued before, by the provider's times; of a session that ended,
// begun before the end was heard, by ours, since an answer is issued when it is redeemed.
//
// An entry stays while copies of the login may be left under a profile, although its
// device has another one by now; End tells the device of those. A subject has at most
// [Max] logins at a provider: one more ends the one that was issued first, since a login
// that is not in the index could not be ended.
//
// Other packages use [Client].
package upstream
