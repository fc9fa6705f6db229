package entitlement

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"ssod/httpfront/strictjson"

	"ssod/actors/device"
	"ssod/actors/login"
	"ssod/actors/session"
	"ssod/httpfront/api"
	"ssod/httpfront/api/headers"
	"ssod/httpfront/config"
)

// AllProfiles serves GET /api/v2/{serviceProvider}/profiles: every good login
// that the request finds, one for each MVPD with an active integration.
func (s *Service) AllProfiles(ctx context.Context, r *api.Request) (api.Response, error) {
	return s.profiles(ctx, r, func(finding) bool { return true })
}

// ProfileByMVPD serves GET /api/v2/{serviceProvider}/profiles/{mvpd}.
func (s *Service) ProfileByMVPD(ctx context.Context, r *api.Request) (api.Response, error) {
	return s.profiles(ctx, r, func(f finding) bool { return f.GetMvpd() == r.Item })
}

func (s *Service) profiles(ctx context.Context, r *api.Request, wanted func(finding) bool) (api.Response, error) {
	a, d, err := s.admitDevice(r)
	if err != nil {
		return api.Response{}, err
	}
	if r.Item != "" {
		if err := headers.CheckTemporaryIdentity(r); err != nil {
			return api.Response{}, err
		}
		if _, err := s.Providers.Find(r.Config, r.Realm, a.provider.ID, r.Item); err != nil {
			return api.Response{}, err
		}
	}
	if answer, done, err := s.answerWithoutLogin(ctx, r, a, d, r.Item); done {
		return answer, err
	}
	identities, err := s.identities(ctx, r, a, d.Device)
	if err != nil {
		return api.Response{}, err
	}
	var found []finding
	err = s.each(ctx, r, d, identities, func(f finding) bool {
		if wanted(f) && s.shows(r, a, f) && !has(found, f.GetMvpd()) {
			found = append(found, f)
		}
		return true
	})
	if err != nil {
		return api.Response{}, err
	}
	return s.answerFound(r, a, found)
}

// answerFound answers with what was found of logins.
func (s *Service) answerFound(r *api.Request, a app, found []finding) (api.Response, error) {
	if err := s.tell(r, a, found); err != nil {
		return api.Response{}, err
	}
	return answerProfiles(r, found)
}

// answerWithoutLogin answers a query for a profile that needs no login; done is false where
// one is needed.
func (s *Service) answerWithoutLogin(ctx context.Context, r *api.Request, a app, d device.ID, id string) (_ api.Response, done bool, err error) {
	if a.rule(r, id) == config.AuthNAll {
		answer, err := s.answerDegraded(r, a, d, id)
		return answer, true, err
	}
	if p := s.temporaryMVPD(r, a, id); p != nil {
		answer, err := s.answerTemporary(ctx, r, p.Config, d.Device)
		return answer, true, err
	}
	return api.Response{}, false, nil
}

// ProfileByCode serves GET /api/v2/{serviceProvider}/profiles/code/{code}: the
// login that was made in a session, and nothing as long as there is none.
func (s *Service) ProfileByCode(ctx context.Context, r *api.Request) (api.Response, error) {
	a, err := s.admit(r)
	if err != nil {
		return api.Response{}, err
	}
	if err := headers.CheckTemporaryIdentity(r); err != nil {
		return api.Response{}, err
	}
	id, err := sessionID(r)
	if err != nil {
		return api.Response{}, err
	}
	view, err := lookUp(s, r, id, func() (*session.View, error) { return s.Sessions.Read(ctx, r.ID, id) })
	if err != nil {
		return api.Response{}, err
	}
	d, ok := device.IDAt(view.GetParty().GetDevice())
	if ok {
		if answer, done, err := s.answerWithoutLogin(ctx, r, a, d, view.GetParameters().GetMvpd()); done {
			return answer, err
		}
	}
	if view.GetStage() != session.Stage_FINISHED || !ok {
		return answerProfiles(r, nil)
	}
	logins, err := s.Devices.Logins(ctx, r.ID, d)
	if err != nil {
		return api.Response{}, err
	}
	var found []finding
	for _, l := range logins {
		if f := ownFinding(r, l); f.kind == regular && l.GetMvpd() == view.GetFinishedAt() && s.shows(r, a, f) {
			found = append(found, f)
		}
	}
	return s.answerFound(r, a, found)
}

// shows reports whether a finding may be told: a good login at an MVPD with
// which the service provider has an active integration.
func (s *Service) shows(r *api.Request, a app, f finding) bool {
	if f.unvouched || f.Standing(r.Received) != login.Good {
		return false
	}
	_, err := s.Providers.Find(r.Config, r.Realm, a.provider.ID, f.GetMvpd())
	return err == nil
}

func has(found []finding, mvpd string) bool {
	return slices.ContainsFunc(found, func(f finding) bool { return f.GetMvpd() == mvpd })
}

// answerProfiles appends the map of profiles.
func answerProfiles(r *api.Request, found []finding) (api.Response, error) {
	b := append(r.Buffer, `{"profiles":{`...)
	for i, f := range found {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(strictjson.AppendString(b, f.GetMvpd()), ':')
		b = appendProfile(b, f)
	}
	return api.Response{Status: http.StatusOK, Body: append(b, "}}"...)}, nil
}

// issuer is who vouches for a login. Where nobody does, it is the documented name,
// for which apps look.
func (f finding) issuer() string {
	switch f.kind {
	case degraded, temporary:
		return "Adobe"
	case appleSSO:
		return f.GetPartner()
	}
	return f.GetMvpd()
}

func appendProfile(b []byte, f finding) []byte {
	b = strconv.AppendInt(append(b, `{"notBefore":`...), f.GetNotBeforeMs(), 10)
	b = strconv.AppendInt(append(b, `,"notAfter":`...), f.GetNotAfterMs(), 10)
	b = strictjson.AppendString(append(b, `,"issuer":`...), f.issuer())
	b = append(append(b, `,"type":"`...), f.kind...)
	return append(appendAttributes(append(b, `","attributes":{`...), f.account()), "}}"...)
}
