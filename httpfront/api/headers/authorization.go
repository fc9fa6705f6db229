package headers

import (
	"strings"

	"ssod/httpfront/api"
	"ssod/httpfront/wire"
)

// scope is what an access token must be good for.
const scope = "api:client:v2"

// Bearer returns the token of the Authorization header; the scheme is compared
// in any case (httpfront/docs/headers.md#authorization).
func Bearer(r *api.Request) ([]byte, bool) {
	const scheme = "bearer "
	header := r.Header(wire.Authorization)
	if len(header) <= len(scheme) || !strings.EqualFold(string(header[:len(scheme)]), scheme) {
		return nil, false
	}
	token := header[len(scheme):]
	for len(token) > 0 && token[0] == ' ' {
		token = token[1:]
	}
	return token, len(token) > 0
}

// HasScope reports whether scopes, separated by blanks, allow to call the API.
func HasScope(scopes string) bool {
	if scopes == scope { // nearly always
		return true
	}
	for s := range strings.FieldsSeq(scopes) {
		if s == scope {
			return true
		}
	}
	return false
}
