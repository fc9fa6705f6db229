// Package api is what all handlers of the public API share: the request they
// get, the response they return, and what a client sees of an error.
//
// A handler never writes an error. It returns one, wrapped or not, and [Classify] finds
// its row of the catalogue: HTTP status, code, message, action. Sentinels of the domain
// (package actors/profile and the like) have rows next to those of this package, so the
// table in catalogue.go is the complete answer to "what can go wrong and what does the
// client see". Anything else is a fault of ours: the client gets 500 and a trace id, the
// log gets the error.
//
// The same row looks different by path ([Family]): nested for the SSO Service,
// flat below /api/v2/, {"error": code} below /o/, and a small page for a
// throttled client that did not ask for JSON; httpfront/docs/errors.md#shapes.
package api
