package sso

import (
	"context"

	"ssod/httpfront/api"
	"ssod/httpfront/api/headers"
	"ssod/httpfront/wire"
)

// admit takes steps 7 to 9 of httpfront/docs/sso.md#check-order and then the
// operation: Accept, access token, service provider.
func (s *Service) admit(ctx context.Context, r *api.Request, next admitted) (api.Response, error) {
	if !api.AcceptsJSON(r.Header(wire.Accept)) {
		return api.Response{}, api.ErrAccept
	}
	bearer, ok := headers.Bearer(r)
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
	case !headers.HasScope(access.Scopes):
		return api.Response{}, api.ErrNoAccessToken
	case r.Realm == nil:
		return api.Response{}, api.ErrServiceProvider
	case !statement.Covers(r.Parameter):
		return api.Response{}, api.ErrNotCovered
	}
	return next(ctx, r, client{statement: statement.ID, mayAssert: statement.MayAssertIdentity()})
}
