package entitlement

import (
	"context"

	"ssod/httpfront/api"
	"ssod/httpfront/api/form"
	"ssod/httpfront/api/headers"
)

// Partner single sign-on is what a device's maker knows of its viewer's TV
// provider; httpfront/docs/entitlement.md#partner-single-sign-on. No service provider is
// configured for it: apps that ask are told to go on without, which they must be able to
// anyway.
const (
	partnerApple = "Apple"
	// configurationFallback is why there is no partner's way in.
	configurationFallback = "configuration_fallback"
	// maxSAMLResponse bounds what a partner's framework says, decoded.
	maxSAMLResponse = 256 << 10
)

// CreatePartnerSession serves POST /api/v2/{serviceProvider}/sessions/sso/{partner}:
// a session like any other, whose reason says that the partner cannot help.
func (s *Service) CreatePartnerSession(ctx context.Context, r *api.Request) (api.Response, error) {
	return s.createSession(ctx, r, configurationFallback)
}

// PartnerProfile serves POST /api/v2/{serviceProvider}/profiles/sso/{partner}:
// what a partner's framework says makes no login.
func (s *Service) PartnerProfile(_ context.Context, r *api.Request) (api.Response, error) {
	if _, _, err := s.admitDevice(r); err != nil {
		return api.Response{}, err
	}
	if err := checkPartner(r); err != nil {
		return api.Response{}, err
	}
	given, ok := form.Parse(string(r.Body))
	if !ok || !r.HasForm() {
		return api.Response{}, api.ErrSAMLResponse
	}
	if said, ok := headers.Base64([]byte(given["SAMLResponse"]), maxSAMLResponse); !ok || len(said) == 0 {
		return api.Response{}, api.ErrSAMLResponse
	}
	return answerProfiles(r, nil)
}

// checkPartner checks the partner that the path names, where it names one.
func checkPartner(r *api.Request) error {
	if r.Item != "" && r.Item != partnerApple {
		return api.ErrPartner
	}
	return nil
}
