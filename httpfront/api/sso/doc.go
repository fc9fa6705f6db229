// Package sso serves the operations of the SSO Service;
// httpfront/docs/sso.md#sso-service.
//
//	POST /api/{sp}/serviceToken     Mint         X-SSO-ID, or X-SSO-LINK redeems a code
//	GET  /api/{sp}/serviceToken     Refresh      AD-Service-Token
//	POST /api/{sp}/link             Link         AD-Service-Token; makes a code
//	GET  /api/{sp}/link/{code}      ReadLink     AD-Service-Token; who came with it
//	POST /api/{sp}/link/{code}      ConfirmLink  AD-Service-Token, {"confirm": ...}
//	POST /api/{sp}/unlink           Unlink       AD-Service-Token, {"devices": [...]}
//	GET  /api/{sp}/list             List         AD-Service-Token
//
// Every operation parses its headers in the order of httpfront/docs/sso.md#check-order,
// sends one message to the profile (the two that make and redeem link codes also ask the
// realm's directory), and answers. The profile judges membership and device, so
// everything that depends on stored state is decided in one place, last.
//
// The viewer that X-SSO-ID names depends on the realm. What an app asserts is a name in
// the realm's namespace "sso". A signed one is the issuer's name for a viewer, in the
// issuer's namespace: two identity services of a realm can neither collide nor speak for
// each other's viewers; one that also hands out external service tokens means the same
// viewer by both; and a realm that stops trusting its apps drops what they asserted. One
// issuer per realm would be simpler and would do the first only, but a realm that moves
// from one identity service to another needs both for a while.
//
// Refreshing ends serviceToken.maxAge after the first token of the chain was minted,
// which every token says (auth_time). Minting and redeeming begin a chain: then an app has
// said who its viewer is, or a viewer has typed a code that another device showed. A device
// that redeems a code of its own continues its chain.
//
// Minting, redeeming, linking, confirming and unlinking are durable when they are
// answered. Refresh, list and looking at a code write nothing. All answers are
// appended by hand to the request's buffer: these calls are most of what a node
// does.
package sso
