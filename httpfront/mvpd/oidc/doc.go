// Package oidc connects TV providers that speak OpenID Connect.
//
// A login is the authorization code flow with PKCE, state and nonce (OpenID
// Connect Core, 3.1; RFC 7636):
//
//	Begin ------> authorization endpoint: state, nonce, challenge
//	Complete ---> token endpoint: code, verifier
//	              ID token: signature, issuer, audience, nonce, time
//	              userinfo endpoint, if a configured claim is still missing
//
// With "responseMode: form_post" the browser posts the answer (OAuth 2.0 Form Post Response
// Mode), which keeps codes out of addresses; package mvpd has how such an answer waits.
//
// A provider that ends a login says so with a logout token, [Connector.LogoutToken]. It is
// read as ID tokens are, and names the subject or the session of ID tokens.
//
// The provider's endpoints and keys come from its discovery document, which is
// fetched at the first login and again every hour. While the issuer is down the
// document and the keys that were read last stay good; an issuer that was never
// reached ends logins with temporarily_unavailable.
//
// An ID token is at most 8 KiB and read by package jose before go-oidc sees it. Accepted
// are signatures by an asymmetric key of the provider. Endpoints must be
// https, or on a loopback address. Claims become attributes as the configuration
// says; nothing else of what the provider tells is kept. With offline_access among the
// scopes that includes a refresh token, with which [Connector.Refresh] asks the userinfo
// endpoint again; package actors/grant has who may use it when.
//
// Whether a viewer may watch is decided by a policy decision point (package
// pdp) or, with "decision: authenticated", by the login alone.
package oidc
