package sso

import (
	"context"
	"net/http"

	"ssod/httpfront/api"
)

// list returns the members of the caller's profile; httpfront/docs/sso.md#list-devices.
func (s *Service) list(ctx context.Context, r *api.Request, _ client) (api.Response, error) {
	h, device, err := s.holderWithDevice(r, api.ErrListTokenMissing)
	if err != nil {
		return api.Response{}, err
	}
	members, err := s.Profiles.List(ctx, r.ID, h.id, h.caller(r.Realm, device))
	if err != nil {
		return api.Response{}, err
	}
	return api.Response{Status: http.StatusOK, Body: appendMembers(r.Buffer, members)}, nil
}
