package entitlement

import (
	"cmp"
	"context"
	"errors"
	"net/url"

	"ssod/actors/session"
	"ssod/httpfront/api"
	"ssod/httpfront/mvpd"
)

// loginCallback is where browsers come back from an MVPD: one address for all
// of them, because some MVPDs want to know it beforehand.
const loginCallback = "/api/v2/authenticate/callback"

// opening is a session that a browser has opened.
type opening struct {
	session.ID
	*session.OpenReply
	browser string // the secret of its cookie
}

// Authenticate serves GET /api/v2/authenticate/{serviceProvider}/{code}: it
// sends a browser to the MVPD of a session, with secrets of its own, or first asks
// the viewer whose device it is.
func (s *Service) Authenticate(ctx context.Context, r *api.Request) (api.Response, error) {
	id, err := loginID(r)
	if err != nil {
		return api.Response{}, err
	}
	browser := browserOf(r)
	if browser == "" {
		browser = drawSecret()
	}
	o, err := s.open(ctx, r, id, browser)
	switch {
	case err != nil:
		return api.Response{}, err
	case o.GetFinished(): // in another tab of this browser
		return s.sendHome(r, o, ""), nil
	case !s.asksFirst(r, o.GetParty()):
		return s.begin(ctx, r, o, o.GetParameters().GetMvpd())
	}
	p, err := s.provider(r, o, o.GetParameters().GetMvpd())
	if err != nil {
		return api.Response{}, err
	}
	return s.question(r, o, p, "")
}

// loginID is the session that the path names, in a realm that there is.
func loginID(r *api.Request) (session.ID, error) {
	if r.Realm == nil {
		return session.ID{}, api.ErrServiceProvider
	}
	return sessionID(r)
}

func (s *Service) open(ctx context.Context, r *api.Request, id session.ID, browser string) (*opening, error) {
	reply, err := lookUp(s, r, id, func() (*session.OpenReply, error) {
		return s.Sessions.Open(ctx, r.ID, id, &session.Open{Browser: session.Digest(browser)})
	})
	if err != nil {
		return nil, err
	}
	return &opening{id, reply, browser}, nil
}

// provider is an MVPD of a session's service provider.
func (s *Service) provider(r *api.Request, o *opening, id string) (*mvpd.Provider, error) {
	return s.Providers.Find(r.Config, r.Realm, o.ServiceProvider, id)
}

// begin sends a browser to an MVPD.
func (s *Service) begin(ctx context.Context, r *api.Request, o *opening, id string) (api.Response, error) {
	p, err := s.provider(r, o, id)
	if err != nil {
		return api.Response{}, err
	}
	a := s.newAttempt(r, o.ID, p.Config.ID, o.browser)
	step, err := mvpd.Step{}, cmp.Or(s.canKeep(p), s.canReceive(p))
	if err == nil {
		step, err = p.Begin(ctx, s.login(r, &a, o.GetParty()))
	}
	if err != nil {
		s.Log.Warn("a TV provider cannot begin a login", "mvpd", p.Config.ID, "trace", string(r.AppendTrace(nil)), "error", err)
		s.loginEnded(r, placeOf(r, o.ServiceProvider, p), o.GetParty(), "", errorCode(err))
		return s.sendHome(r, o, errorCode(err)), nil
	}
	s.Metrics.loginBegun(placeOf(r, o.ServiceProvider, p), deviceOf(o.GetParty()))
	remember := cookie(r, o.browser, r.Realm.Session.TTL)
	if step.Form != nil {
		_, provider, _ := r.Config.ServiceProvider(o.ServiceProvider)
		return passOn(r, provider, p, step.Form, remember)
	}
	return sendTo(step.URL, remember), nil
}

// login is the login for a connector, the same at its begin and its end.
func (s *Service) login(r *api.Request, a *attempt, by *session.Party) mvpd.Login {
	_, provider, _ := r.Config.ServiceProvider(a.ServiceProvider)
	return mvpd.Login{
		Secrets: s.secrets(r.Realm, a), Requester: s.whoLogsIn(r, a.mvpd, by),
		Callback: r.Config.PublicURL + loginCallback, ServiceProvider: provider.DisplayName, ServiceProviderID: a.ServiceProvider,
	}
}

// LoginCallback serves GET /api/v2/authenticate/callback: a browser comes back
// from an MVPD, and goes on to the app. It must be the one that was sent there,
// with the state that it was sent with.
func (s *Service) LoginCallback(ctx context.Context, r *api.Request) (api.Response, error) {
	values, err := query(r)
	if err != nil {
		return api.Response{}, err
	}
	a, err := s.cameBack(r, values.Get("state"))
	if err != nil {
		return api.Response{}, err
	}
	browser := session.Digest(a.browser)
	opened, err := s.Sessions.Open(ctx, r.ID, a.ID, &session.Open{Browser: browser, Page: true})
	if err != nil {
		return api.Response{}, err
	}
	o := &opening{a.ID, opened, a.browser}
	if o.GetFinished() {
		return s.sendHome(r, o, ""), nil // the browser came twice, or from two tabs
	}
	if values, err = s.answerOf(ctx, r, &a, values); err != nil {
		return api.Response{}, err
	}
	who, p, err := s.complete(ctx, r, &a, o.GetParty(), values)
	at := placeOf(r, a.ServiceProvider, p)
	if err != nil {
		s.loginEnded(r, at, o.GetParty(), "", errorCode(err))
		return s.sendHome(r, o, errorCode(err)), nil
	}
	account, err := newLogin(r, p.Config, who, o.GetParty())
	if err != nil {
		s.Log.Warn("a TV provider described a viewer badly", "mvpd", p.Config.ID, "trace", string(r.AppendTrace(nil)), "error", err)
		s.loginEnded(r, at, o.GetParty(), "", mvpd.ServerError)
		return s.sendHome(r, o, mvpd.ServerError), nil
	}
	account.Source = s.source(r, &who, a.begun())
	err = s.Sessions.Finish(ctx, r.ID, a.ID, &session.Finish{
		Browser: browser, Login: account, Tokens: s.keepTokens(r, p.Config, account, who.Tokens),
	})
	if err != nil {
		return api.Response{}, err
	}
	s.loginEnded(r, at, o.GetParty(), who.Subject, "")
	return s.sendHome(r, o, ""), nil
}

// sendHome sends a browser where it belongs after a login: to the app, or to a page of the
// service where the app gave no URL. The code is what went wrong; empty: nothing.
func (s *Service) sendHome(r *api.Request, o *opening, code string) api.Response {
	to := o.GetParameters().GetRedirectUrl()
	if to == "" {
		to = s.openedAt(r, o.ID, o.browser)
	}
	if code != "" {
		to = withError(to, code)
	}
	return sendTo(to)
}

// complete asks the connector for the viewer who logged in.
func (s *Service) complete(ctx context.Context, r *api.Request, a *attempt, by *session.Party, values url.Values) (mvpd.Identity, *mvpd.Provider, error) {
	p, err := s.Providers.Find(r.Config, r.Realm, a.ServiceProvider, a.mvpd)
	if err != nil {
		return mvpd.Identity{}, nil, &mvpd.LoginError{Code: mvpd.TemporarilyUnavailable}
	}
	who, err := p.Complete(ctx, s.login(r, a, by), values)
	if ended, told := errors.AsType[*mvpd.LoginError](err); err != nil && (!told || ended.Cause != nil) {
		s.Log.Warn("a login at a TV provider failed", "mvpd", p.Config.ID, "trace", string(r.AppendTrace(nil)), "error", err)
	}
	return who, p, err
}

// errorCode is the app's error code of a failed login.
func errorCode(err error) string {
	if e, ok := errors.AsType[*mvpd.LoginError](err); ok {
		return e.Code
	}
	return mvpd.ServerError
}

// query reads the query of a request.
func query(r *api.Request) (url.Values, error) {
	values, err := url.ParseQuery(r.Query())
	if err != nil {
		return nil, api.ErrStranger
	}
	return values, nil
}
