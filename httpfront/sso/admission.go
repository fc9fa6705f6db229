package sso

import (
	"context"
	"strings"

	"ssod/httpfront/api"
	"ssod/httpfront/wire"
)

// scope is what an access token must be good for.
const scope = "api:client:v2"

// admit takes steps 5 to 7 of the check order (sso-service.md 5) and then the
// operation: Accept, access token, service provider.
func (s *Service) admit(ctx context.Context, r *api.Request, next admitted) (api.Response, error) {
	if !api.AcceptsJSON(r.Header(wire.Accept)) {
		return api.Response{}, api.ErrAccept
	}
	bearer, ok := bearerToken(r.Header(wire.Authorization))
	if !ok {
		return api.Response{}, api.ErrNoAccessToken
	}
	access, err := s.Tokens.VerifyAccess(bearer, r.Received)
	if err != nil {
		return api.Response{}, err
	}
	statement, err := s.Clients.Judge(access)
	switch {
	case err != nil:
		return api.Response{}, err
	case !hasScope(access.Scopes):
		return api.Response{}, api.ErrNoAccessToken
	case r.Realm == nil:
		return api.Response{}, api.ErrServiceProvider
	case !statement.Covers(r.Parameter):
		return api.Response{}, api.ErrNotCovered
	}
	return next(ctx, r, client{statement: statement.ID})
}

// bearerToken returns the token of an Authorization header; the scheme is
// compared in any case (headers.md 2).
func bearerToken(header []byte) ([]byte, bool) {
	const scheme = "bearer "
	if len(header) <= len(scheme) || !strings.EqualFold(string(header[:len(scheme)]), scheme) {
		return nil, false
	}
	token := header[len(scheme):]
	for len(token) > 0 && token[0] == ' ' {
		token = token[1:]
	}
	return token, len(token) > 0
}

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
