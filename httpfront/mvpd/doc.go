// Package mvpd is how the service talks to TV providers (MVPDs): one small
// interface, [Connector], and a [Registry] that finds the connector of a
// configured provider.
//
// # A login
//
// A viewer logs in with a browser, the user agent. The caller derives three secrets for
// each login from the browser's cookie, [DeriveSecrets], and stores nothing: the same
// cookie gives the same secrets when the browser returns.
//
//	caller                       connector                     TV provider
//	Secrets, Begin ------------> Step: a URL or a page ------> login page
//	callback?state=...&... <---------------------------------- the browser returns
//	find the login by state, compare it
//	Complete(Login, values) ---> exchange, check nonce, PKCE
//	store Identity      <------- Identity or *LoginError
//
// State finds and protects the login; nonce and verifier (PKCE, RFC 7636) tie
// what the provider issues to it, where the protocol has them. The caller sees
// to it that a login completes once; a connector keeps nothing between its
// calls, so any node can go on with a login that another one began.
//
// A provider may also answer with a POST that the browser sends from its site, which
// comes without the cookie. Then the connector is a [Receiver]: it judges the answer
// alone, the caller stores it once and sends the browser on to itself, and Complete gets
// what was stored:
//
//	POST, state and answer ----> Receive(form) -> Answer, stored under a drawn secret
//	303, state and secret -----> the same browser, now with its cookie
//	Complete(Login, Answer.Values)
//
// Login and Question have a [Requester]: the device, named by an id that no other
// provider gets, the address, and where a single sign-on comes from.
//
// # Decisions
//
// [Provider.Decide] asks whether a viewer may watch resources. It always has
// one [Decision] for each resource: what goes wrong between here and the
// provider (no answer in time, an answer that cannot be read, too many
// questions at once) is a [Verdict] like the provider's own reasons, because
// clients are told so for each resource;
// httpfront/docs/errors.md#errors-of-single-decisions. What a provider says of a deny,
// and how the viewer can change it, reaches the app as [Decision.Details].
//
// # Logout
//
// A provider that has a logout endpoint gives the URL where the user agent
// ends its session there; the browser then comes back to the URL that the
// caller named. A provider whose viewers log out there says so by an [End]: to a
// [LogoutReceiver] directly, from server to server. It ends the logins that the provider
// issued up to then, [Identity.Issued], for a session or for all of a subject.
//
// # Tests
//
// [Provider.Test] finds out what is wrong with a provider: a connector that is a [Tester]
// plays what a login needs, and the real decider is asked. A [Report] has a line for each
// thing, with what to do about it.
package mvpd
