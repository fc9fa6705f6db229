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
	statement, _, err := headers.Admit(r, s.Tokens, s.Clients)
	if err != nil {
		return api.Response{}, err
	}
	return next(ctx, r, client{statement: statement.ID, mayAssert: statement.MayAssertIdentity()})
}
