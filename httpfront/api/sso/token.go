package sso

import (
	"cmp"

	"ssod/actors/profile"
	"ssod/httpfront/api"
	"ssod/httpfront/api/headers"
	"ssod/httpfront/config"
	"ssod/httpfront/token/keys"
	"ssod/httpfront/wire"
)

// holder is the device and profile that a service token names, for the profile to judge.
type holder struct {
	keys.ServiceClaims
	id profile.ID
}

// holder takes the steps present to time of httpfront/docs/headers.md#token-checks.
// missing is what the call answers when there is no token.
func (s *Service) holder(r *api.Request, purpose keys.Purpose, missing error) (holder, error) {
	token := r.Header(wire.ServiceToken)
	if len(token) == 0 {
		return holder{}, missing
	}
	claims, err := s.Tokens.VerifyService(r.Realm, token, r.Received, purpose)
	if err != nil {
		return holder{}, err
	}
	return holder{claims, profile.ID{Realm: r.Realm.ID, Namespace: cmp.Or(claims.Namespace, keys.NamespaceSSO), Subject: claims.Subject}}, nil
}

// caller is what the profile judges; device is nil where the call sends none.
func (h *holder) caller(realm *config.Realm, device []byte) *profile.Caller {
	c := &profile.Caller{Device: device, Bind: realm.ServiceToken.BindDevice}
	if !h.External {
		c.Did, c.Membership, c.OriginMs = h.Device[:], h.Membership, h.Origin.UnixMilli()
	}
	return c
}

// holderWithDevice is holder for the calls that must name their device.
func (s *Service) holderWithDevice(r *api.Request, missing error) (h holder, id []byte, err error) {
	h, err = s.holder(r, keys.Call, missing)
	if err != nil {
		return h, nil, err
	}
	id, err = headers.Device(r)
	if err == nil && id == nil {
		err = api.ErrHeaderMissing
	}
	return h, id, err
}

// sign mints a token for a member and answers with it.
func (s *Service) sign(r *api.Request, status int, m keys.Member) (api.Response, error) {
	signed, err := s.Tokens.SignService(r.Realm, m, r.Received)
	if err != nil {
		return api.Response{}, err
	}
	return api.Response{Status: status, Body: appendToken(r.Buffer, status, signed)}, nil
}
