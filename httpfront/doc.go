// Package httpfront is the public HTTP API of a node: HTTP in, domain calls
// out. It alone knows status codes, routes and headers.
//
//	connection -> wire (strict reading) -> fasthttp -> exchange -> handler
//	                                                      |
//	              route, method, repeated headers, throttle, body size; then
//	              the handler; then the answer, metrics and log
//
// An exchange is the one adapter around all handlers: it draws the request id
// that is the trace everywhere, makes the deadline, finds the operation by
// splitting the path, takes the common steps of the check order, turns errors
// into the rows of package api's catalogue, and recovers panics.
//
// # Rooms
//
// Imports run down this list only; a test in cmd/internal/layers keeps it so.
//
//	fronttest   what tests share: a node, a browser, the document as a judge
//	httpfront   this package: server, routes, exchange
//	api         what every handler is given and answers with, and the catalogue of
//	            errors; beside it the handlers by family (sso, entitlement,
//	            registration, admin, sandbox), what they read (headers, form) and the
//	            documents as pages (apidoc)
//	mvpd        connections to TV providers
//	degradation rules that answer in their place for a while
//	token       what makes and reads tokens (jose, keys, media, platform), and the keys
//	            of others (keyset, keyurl)
//	page        the layout of pages for viewers
//	the ground  throttle, config, usermeta, wire, slots, strictjson, qr
//
// Package client stands beside them: it knows the API and nothing of this program.
//
// The document openapi.yaml describes all of it and is served at
// /openapi.yaml, and package apidoc's pages about it at /docs; package openapitest
// checks requests and responses of tests against it.
package httpfront
