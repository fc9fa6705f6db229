// Package openapitest checks requests and responses of tests against the
// OpenAPI document, so that the document cannot lie.
//
//	err := openapitest.Validate(request, body, response, answer)
//
// A response must be documented: its status for the operation, its headers, its
// body. A request must be as documented when it succeeded; tests send wrong
// ones on purpose. Where a path names nothing, and where nothing can be said
// about a request, the rules of the introduction of the document hold instead.
//
// For clients, values and fields in answers may grow; here both are closed, as
// httpfront/DESIGN.md#values-that-may-grow says. [Parse] and [Check] do the same for
// another document.
package openapitest
