package entitlement

import (
	"context"
	"time"

	"ssod/actors/device"
	"ssod/actors/login"
	"ssod/httpfront/api"
)

// finding is a login as a request found it.
type finding struct {
	*login.Login
	kind string
	via  *identity // nil: on the device itself
	// unvouched says that a partner made the login and does not vouch for it any more.
	unvouched bool
	told      []byte // encoded login.Account as an app is told; nil: as it is
}

// find returns the best login at an MVPD that a request finds: a good one, the
// device's own before shared ones; else the first that tells why there is none.
// A finding without a login: there never was one. Logins for which a partner does not vouch
// do not count.
func (s *Service) find(ctx context.Context, r *api.Request, d device.ID, identities []identity, mvpd string) (finding, error) {
	return s.best(ctx, r, d, identities, func(f finding) bool { return f.GetMvpd() == mvpd && !f.unvouched })
}

// best returns the best finding of those that count.
func (s *Service) best(ctx context.Context, r *api.Request, d device.ID, identities []identity, counts func(finding) bool) (finding, error) {
	var best finding
	err := s.each(ctx, r, d, identities, func(f finding) (more bool) {
		if !counts(f) {
			return true
		}
		good := f.Standing(r.Received) == login.Good
		if best.Login == nil || good {
			best = f
		}
		return !good
	})
	if err == nil && best.via == nil && best.Standing(r.Received) == login.Good {
		s.touch(ctx, r, identities)
	}
	return best, err
}

// touchTime is how long a profile is waited for that need not be asked.
const touchTime = 250 * time.Millisecond

// touch moves the lastSeen of the service token's member although a login of its own was
// enough. No answer depends on it, so it is dropped if the profile is unavailable.
func (s *Service) touch(ctx context.Context, r *api.Request, identities []identity) {
	ctx, cancel := context.WithTimeout(ctx, touchTime)
	defer cancel()
	for i := range identities {
		if identities[i].kind == serviceTokenSSO {
			_ = s.Profiles.See(ctx, r.ID, identities[i].id, identities[i].caller)
		}
	}
}

// ownFinding is a login of the device itself.
func ownFinding(r *api.Request, l *login.Login) finding {
	if l.GetPartner() == "" {
		return finding{Login: l, kind: regular}
	}
	return finding{Login: l, kind: appleSSO, unvouched: !vouched(r, l)}
}

// each calls f for what is found, in the order of precedence, until f returns
// false. Identities are not asked before they are needed.
func (s *Service) each(ctx context.Context, r *api.Request, d device.ID, identities []identity, f func(finding) bool) error {
	own, err := s.Devices.Logins(ctx, r.ID, d)
	if err != nil {
		return err
	}
	for _, l := range own {
		if !f(ownFinding(r, l)) {
			return nil
		}
	}
	for i := range identities {
		logins, err := s.shared(ctx, r, &identities[i])
		if err != nil {
			return err
		}
		for _, l := range logins {
			if !f(finding{Login: l, kind: identities[i].kind, via: &identities[i]}) {
				return nil
			}
		}
	}
	return nil
}
