package headers

import (
	"strings"
	"time"

	"ssod/httpfront/api"
	"ssod/httpfront/api/registration"
	"ssod/httpfront/token/keys"
	"ssod/httpfront/wire"
)

// scope is what an access token must be good for.
const scope = "api:client:v2"

// AccessTokens verifies access tokens; [keys.Ring] does.
type AccessTokens interface {
	VerifyAccess(token []byte, now time.Time) (keys.AccessClaims, error)
}

// Clients judges the clients of access tokens; [registration.Service] does.
type Clients interface {
	Judge(access keys.AccessClaims) (*registration.Statement, error)
}

// Admit takes the steps that the calls of all apps share: access token, its client,
// its scope, then the service provider of the path. It returns the client's statement
// and id.
func Admit(r *api.Request, tokens AccessTokens, clients Clients) (s *registration.Statement, client string, err error) {
	token, ok := bearer(r)
	if !ok {
		return nil, "", api.ErrNoAccessToken
	}
	access, err := tokens.VerifyAccess(token, r.Received)
	if err != nil {
		return nil, "", err
	}
	s, err = clients.Judge(access)
	switch {
	case err != nil:
	case !hasScope(access.Scopes):
		err = api.ErrNoAccessToken
	case r.Realm == nil:
		err = api.ErrServiceProvider
	case !s.Covers(r.Parameter):
		err = api.ErrNotCovered
	}
	return s, access.Client, err
}

// bearer returns the token of the Authorization header; the scheme is compared
// in any case (httpfront/docs/headers.md#authorization).
func bearer(r *api.Request) ([]byte, bool) {
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

// hasScope reports whether scopes, separated by blanks, allow to call the API.
func hasScope(scopes string) bool {
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
