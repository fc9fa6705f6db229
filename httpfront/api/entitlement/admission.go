package entitlement

import (
	"errors"

	"ssod/actors/device"
	"ssod/httpfront/api"
	"ssod/httpfront/api/headers"
	"ssod/httpfront/config"
	"ssod/httpfront/degradation"
	"ssod/httpfront/token/keys"
)

// app is the application that calls, for one of its service providers.
type app struct {
	provider *config.ServiceProvider
	client   string // client id
	name     string // of its software statement
	rules    degradation.View
}

// admit takes the first steps of the check order
// (httpfront/docs/entitlement.md#check-order): access token, then service provider.
func (s *Service) admit(r *api.Request) (app, error) {
	statement, client, err := headers.Admit(r, s.Tokens, s.Clients)
	switch {
	case errors.Is(err, api.ErrNoAccessToken), errors.Is(err, keys.ErrAccess):
		// Not where the token expired: who registers again loses the viewer's logins.
		return app{}, api.ErrClientApplication
	case err != nil:
		return app{}, err
	}
	_, provider, _ := r.Config.ServiceProvider(r.Parameter)
	return app{provider: provider, client: client, name: statement.ClientName(), rules: s.Rules.At(r.Received)}, nil
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
