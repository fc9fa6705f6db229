package headers

import (
	"bytes"

	"ssod/httpfront/api"
	"ssod/httpfront/wire"
)

// maxVisitor is the longest AP-Visitor-Identifier that is logged.
const maxVisitor = 128

// Visitor is AP-Visitor-Identifier as it is logged, which is all that is done
// with it (httpfront/docs/headers.md#ap-visitor-identifier). Some send it in quotes. What
// does not look like an id is left out, so that nobody writes into the log what he likes.
func Visitor(r *api.Request) string {
	id := bytes.Trim(r.Header(wire.VisitorIdentifier), `"`)
	if len(id) > maxVisitor || bytes.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' }) {
		return ""
	}
	return string(id)
}
