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
// into the rows of package api's catalogue, and recovers panics. Handlers live
// in packages by API family: sso, entitlement, registration.
//
// The document openapi.yaml describes all of it and is served at
// /openapi.yaml; package openapitest checks requests and responses of tests
// against it.
package httpfront
