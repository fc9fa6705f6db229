package entitlement

import (
	"context"
	"fmt"
	"net/http"

	"ssod/httpfront/api"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/mvpd/saml"
)

// The endpoints of SAML providers are below /saml/{realm}/{mvpd}; what is judged there is
// package saml's. Browsers come to them from the provider.

// samlAt finds the provider that the path names.
func (s *Service) samlAt(r *api.Request) (*mvpd.Provider, *saml.Connector, error) {
	realm, ok := r.Config.Realm(r.Parameter)
	if !ok {
		return nil, nil, api.ErrNotFound
	}
	p, err := s.Providers.Provider(r.Config, realm, r.Item)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", api.ErrNotFound, err)
	}
	c, ok := p.Connector.(*saml.Connector)
	if !ok {
		return nil, nil, api.ErrNotFound
	}
	r.Realm = realm
	return p, c, nil
}

// SAMLMetadata serves GET /saml/{realm}/{mvpd}/metadata.
func (s *Service) SAMLMetadata(_ context.Context, r *api.Request) (api.Response, error) {
	_, c, err := s.samlAt(r)
	if err != nil {
		return api.Response{}, err
	}
	text, err := c.Metadata()
	if err != nil {
		return api.Response{}, err
	}
	return api.Response{Status: http.StatusOK, ContentType: saml.MetadataType, CacheControl: "max-age=300", Body: text}, nil
}
