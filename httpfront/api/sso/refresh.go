package sso

import (
	"context"
	"net/http"

	"ssod/httpfront/api"
	"ssod/httpfront/token/keys"
)

// refresh gives a member a new token for an old one;
// httpfront/docs/sso.md#refresh-a-service-token.
func (s *Service) refresh(ctx context.Context, r *api.Request, _ client) (api.Response, error) {
	h, err := s.holder(r, keys.Refresh, api.ErrRefreshTokenMissing)
	if err != nil {
		return api.Response{}, err
	}
	if err := s.Profiles.Refresh(ctx, r.ID, h.id, h.caller(r.Realm, nil)); err != nil {
		return api.Response{}, err
	}
	return s.sign(r, http.StatusOK, h.Member)
}
