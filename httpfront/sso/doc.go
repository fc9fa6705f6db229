// Package sso serves the five operations of the SSO Service; sso-service.md of
// the contract.
//
//	POST /api/{sp}/serviceToken   Mint     X-SSO-ID, or X-SSO-LINK redeems a code
//	GET  /api/{sp}/serviceToken   Refresh  AD-Service-Token
//	POST /api/{sp}/link           Link     AD-Service-Token; makes a code
//	POST /api/{sp}/unlink         Unlink   AD-Service-Token, {"devices": [...]}
//	GET  /api/{sp}/list           List     AD-Service-Token
//
// Every operation parses its headers in the order of section 5, sends one
// message to the profile (the two that concern link codes also ask the realm's
// directory), and answers. The profile judges membership and device, so
// everything that depends on stored state is decided in one place, last.
//
// Minting, redeeming, linking and unlinking are durable when they are answered.
// Refresh and list write nothing. All answers are appended by hand to the
// request's buffer: these calls are most of what a node does.
package sso
