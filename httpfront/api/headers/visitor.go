package headers

import (
	"bytes"

	"ssod/httpfront/api"
	"ssod/httpfront/wire"
)

// maxVisitor is the longest AP-Visitor-Identifier that is logged.
const maxVisitor = 128

// Visitor is AP-Visitor-Identifier as it is logged, its only use
// (httpfront/docs/headers.md#ap-visitor-identifier). Some send it in quotes. A value that
// does not look like an id is dropped, so that clients cannot write arbitrary log text.
func Visitor(r *api.Request) string {
	id := bytes.Trim(r.Header(wire.VisitorIdentifier), `"`)
	if len(id) > maxVisitor || bytes.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' }) {
		return ""
	}
	return string(id)
}
