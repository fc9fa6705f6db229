package entitlement

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"ssod/actors"
	"ssod/actors/login"
	"ssod/actors/once"
	"ssod/actors/upstream"
	"ssod/httpfront/api"
	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
)

// source says from whom at the MVPD a login comes, so that the MVPD can end it; nil where
// it never does, or the cluster's format level is too low to know it. The viewer was sent
// there at a time.
func (s *Service) source(r *api.Request, who *mvpd.Identity, begun time.Time) *login.Source {
	if who.Issued.IsZero() || s.Level() < postedLevel {
		return nil
	}
	from := &login.Source{Realm: r.Realm.ID, Subject: upstream.Digest(cmp.Or(who.LogoutSubject, who.Subject))}
	if who.Session != "" {
		from.Session = upstream.Digest(who.Session)
	}
	// A provider whose clock is ahead must not make logins that it cannot end.
	from.IssuedMs = min(who.Issued.UnixMilli(), r.Received.UnixMilli())
	from.BegunMs = begun.UnixMilli()
	return from
}

// end ends the logins that an MVPD of the request's realm says have ended, on every
// device. Its id is claimed after that: a provider that got no answer asks again, and
// coming again the end finds nothing to do. It fails with [once.ErrTaken] when the MVPD
// said the same before.
func (s *Service) end(ctx context.Context, r *api.Request, p *mvpd.Provider, e mvpd.End) error {
	if e.Subject == "" && len(e.Sessions) == 0 || len(e.Sessions) > mvpd.MaxSessions {
		return errAnswer
	}
	issued := r.Received
	if !e.Issued.IsZero() && e.Issued.Before(issued) {
		issued = e.Issued
	}
	ended := 0
	for _, id := range ends(r.Realm, p, &e) {
		n, err := s.Upstreams.End(ctx, r.ID, id, issued, r.Received)
		if err != nil {
			return err
		}
		ended += n
	}
	if err := s.claim(ctx, r, p, "end", e.Once); err != nil {
		return err
	}
	at := place{r.Realm.ID, anyServiceProvider, p.Config.ID}
	s.Metrics.loggedOut(at, byProvider, ended)
	s.audit(r, "logout", at, e.Subject, "by", byProvider, "logins", ended)
	return nil
}

// ends are the entities of the sessions that ended, or of the subject.
func ends(realm *config.Realm, p *mvpd.Provider, e *mvpd.End) (ids []upstream.ID) {
	for _, session := range e.Sessions {
		ids = append(ids, upstream.ID{Realm: realm.ID, MVPD: p.Config.ID, By: upstream.Session, Digest: upstream.Digest(session)})
	}
	if len(ids) == 0 {
		ids = append(ids, upstream.ID{Realm: realm.ID, MVPD: p.Config.ID, By: upstream.Subject, Digest: upstream.Digest(e.Subject)})
	}
	return ids
}

// BackchannelLogout serves POST /api/v2/logout/backchannel/{realm}/{mvpd}: an MVPD says with
// a logout token that logins have ended (OpenID Connect Back-Channel Logout 1.0, 2.5).
func (s *Service) BackchannelLogout(ctx context.Context, r *api.Request) (api.Response, error) {
	p, by, err := s.backchannel(r)
	if err != nil {
		return api.Response{}, err
	}
	if err := s.hear(ctx, r, p, by); err != nil {
		p.Warn("a TV provider's logout failed", "trace", string(r.AppendTrace(nil)), "error", err)
		return refuseLogout(err)
	}
	return api.Response{Status: http.StatusOK, ContentType: "text/plain; charset=utf-8"}, nil // it says nothing more
}

// backchannel finds the MVPD that the path names.
func (s *Service) backchannel(r *api.Request) (*mvpd.Provider, mvpd.LogoutReceiver, error) {
	realm, ok := r.Config.Realm(r.Parameter)
	if !ok {
		return nil, nil, api.ErrNotFound
	}
	r.Realm = realm
	p, err := s.Providers.Provider(r.Config, realm, r.Item)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", api.ErrNotFound, err)
	}
	by, ok := p.Connector.(mvpd.LogoutReceiver)
	if !ok {
		return nil, nil, api.ErrNotFound
	}
	return p, by, nil
}

// hear judges the logout token, and ends what it says.
func (s *Service) hear(ctx context.Context, r *api.Request, p *mvpd.Provider, by mvpd.LogoutReceiver) error {
	given, err := posted(r)
	if err != nil {
		return err
	}
	token := given.Get("logout_token")
	if token == "" {
		return api.ErrBody
	}
	e, err := by.LogoutToken(ctx, token)
	if err != nil {
		return err
	}
	return s.end(ctx, r, p, e)
}

// refuseLogout answers a logout that failed: whatever the reason, with 400, and a code of
// RFC 6749, 5.2 (OpenID Connect Back-Channel Logout 1.0, 2.8).
func refuseLogout(err error) (api.Response, error) {
	var told *mvpd.LoginError
	code, text := mvpd.ServerError, "The logout failed"
	switch {
	case errors.Is(err, api.ErrBody):
		code, text = mvpd.InvalidRequest, "The body must be a form with one logout_token"
	case errors.Is(err, once.ErrTaken):
		code, text = mvpd.InvalidRequest, "The logout token was used before"
	case errors.As(err, &told) && told.Code == mvpd.InvalidRequest:
		code, text = mvpd.InvalidRequest, "The logout token is not acceptable"
	case errors.Is(err, actors.ErrLevel):
		code, text = mvpd.TemporarilyUnavailable, "The format level of the cluster is too low for this; its operator has to raise it"
	case errors.Is(err, actors.ErrUnavailable), errors.Is(err, actors.ErrOverloaded), errors.Is(err, actors.ErrUnknown), told != nil:
		code, text = mvpd.TemporarilyUnavailable, "The service is temporarily unavailable; please send the logout token again"
	}
	body, err := json.Marshal(map[string]string{"error": code, "error_description": text})
	return api.Response{Status: http.StatusBadRequest, ContentType: "application/json", Body: body}, err
}
