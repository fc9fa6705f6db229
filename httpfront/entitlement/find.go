package entitlement

import (
	"context"

	"ssod/actors/device"
	"ssod/actors/login"
	"ssod/httpfront/api"
)

// finding is a login as a request found it.
type finding struct {
	*login.Login
	kind string
	via  *identity // nil: on the device itself
}

// find returns the best login at an MVPD that a request finds: a good one, the
// device's own before shared ones; else the first that tells why there is none.
// A finding without a login: there never was one.
func (s *Service) find(ctx context.Context, r *api.Request, d device.ID, identities []identity, mvpd string) (finding, error) {
	var best finding
	err := s.each(ctx, r, d, identities, func(f finding) (more bool) {
		if f.GetMvpd() != mvpd {
			return true
		}
		good := f.Standing(r.Received) == login.Good
		if best.Login == nil || good {
			best = f
		}
		return !good
	})
	return best, err
}

// each calls f for what is found, in the order of precedence, until f returns
// false. Identities are not asked before they are needed.
func (s *Service) each(ctx context.Context, r *api.Request, d device.ID, identities []identity, f func(finding) bool) error {
	own, err := s.Devices.Logins(ctx, r.ID, d)
	if err != nil {
		return err
	}
	for _, l := range own {
		if !f(finding{Login: l, kind: regular}) {
			return nil
		}
	}
	for i := range identities {
		logins, err := s.shared(ctx, r, &identities[i])
		if err != nil {
			return err
		}
		for _, l := range logins {
			if !f(finding{l, identities[i].kind, &identities[i]}) {
				return nil
			}
		}
	}
	return nil
}
