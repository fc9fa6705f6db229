package entitlement

import (
	"errors"

	"ssod/actors/device"
	"ssod/httpfront/api"
	"ssod/httpfront/api/headers"
	"ssod/httpfront/config"
	"ssod/httpfront/token/keys"
)

// app is the application that calls, for one of its service providers.
type app struct {
	provider *config.ServiceProvider
	client   string // client id
}

// admit takes the first steps of the check order
// (httpfront/docs/entitlement.md#check-order): access token, then service provider.
func (s *Service) admit(r *api.Request) (app, error) {
	bearer, ok := headers.Bearer(r)
	if !ok {
		return app{}, api.ErrClientApplication
	}
	access, err := s.Tokens.VerifyAccess(bearer, r.Received)
	switch {
	case errors.Is(err, keys.ErrAccessExpired):
		return app{}, err // not the advice to register again, which would lose the viewer's logins
	case err != nil:
		return app{}, api.ErrClientApplication
	}
	statement, err := s.Clients.Judge(access)
	switch {
	case err != nil:
		return app{}, err
	case !headers.HasScope(access.Scopes):
		return app{}, api.ErrClientApplication
	case r.Realm == nil:
		return app{}, api.ErrServiceProvider
	case !statement.Covers(r.Parameter):
		return app{}, api.ErrNotCovered
	}
	_, provider, _ := r.Config.ServiceProvider(r.Parameter)
	return app{provider: provider, client: access.Client}, nil
}

// admitDevice is admit for calls that name their device.
func (s *Service) admitDevice(r *api.Request) (app, device.ID, error) {
	a, err := s.admit(r)
	if err != nil {
		return app{}, device.ID{}, err
	}
	id, err := headers.Device(r)
	switch {
	case err != nil:
		return app{}, device.ID{}, err
	case id == nil:
		return app{}, device.ID{}, api.ErrDevice
	}
	if err := headers.CheckDeviceInfo(r); err != nil {
		return app{}, device.ID{}, err
	}
	return a, device.ID{ServiceProvider: a.provider.ID, Client: a.client, Device: id}, nil
}
