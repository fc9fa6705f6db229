package entitlement

import (
	"context"
	"strings"

	"google.golang.org/protobuf/proto"

	"ssod/actors/device"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/actors/logout"
	"ssod/httpfront/api"
	"ssod/httpfront/api/form"
	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/page"
)

const (
	logoutAgent    = "/api/v2/logout-agent/"
	logoutCallback = logoutAgent + "callback"
)

// logoutAction is what an app is told to do; httpfront/docs/entitlement.md#log-out.
type logoutAction struct {
	ActionName string `json:"actionName"`
	ActionType string `json:"actionType"`
	MVPD       string `json:"mvpd"`
	URL        string `json:"url,omitempty"`
}

// Logout serves GET /api/v2/{serviceProvider}/logout/{mvpd}. The login is gone
// when it answers: on the device, and with an identity everywhere under it;
// httpfront/docs/flows.md#single-logout. Where the MVPD has a logout page, the app is
// told to open it.
func (s *Service) Logout(ctx context.Context, r *api.Request) (api.Response, error) {
	a, d, err := s.admitDevice(r)
	if err != nil {
		return api.Response{}, err
	}
	redirectURL, err := redirectOf(r, a)
	if err != nil {
		return api.Response{}, err
	}
	p, err := s.Providers.Find(r.Config, r.Realm, a.provider.ID, r.Item)
	if err != nil {
		return api.Response{}, err
	}
	identities, err := s.identities(ctx, r, a, d.Device)
	if err != nil {
		return api.Response{}, err
	}
	found, err := s.best(ctx, r, d, identities, func(f finding) bool { return f.GetMvpd() == r.Item })
	if err != nil {
		return api.Response{}, err
	}
	switch {
	case found.Standing(r.Received) == login.Good:
	case a.rule(r, r.Item) == config.AuthNAll, isTemporary(p): // there is nothing to end
		return answerLogout(r, logoutAction{ActionName: "complete", ActionType: "none"})
	default:
		return answerLogout(r, logoutAction{ActionName: "invalid", ActionType: "none"})
	}
	action, err := s.prepareLogout(ctx, r, p, found, redirectURL)
	if err != nil {
		return api.Response{}, err
	}
	if err := s.Devices.Leave(ctx, r.ID, d, leave(r.Item, identities)); err != nil {
		return api.Response{}, err
	}
	if err := s.loggedOut(r, placeOf(r, a.provider.ID, p), found.GetAccount()); err != nil {
		return api.Response{}, err
	}
	return answerLogout(r, action)
}

func leave(mvpd string, identities []identity) *device.Leave {
	m := &device.Leave{Mvpd: mvpd}
	for _, i := range identities {
		m.Profiles = append(m.Profiles, intent.At(i.id.Address()))
	}
	return m
}

// redirectOf reads where the browser belongs after the logout; empty when the
// app does not say.
func redirectOf(r *api.Request, a app) (string, error) {
	values, ok := form.Parse(r.Query())
	if !ok {
		return "", api.ErrRedirectURL
	}
	redirectURL, given := values["redirectUrl"]
	if !given {
		return "", nil
	}
	return redirectURL, checkRedirect(a.provider, redirectURL)
}

// prepareLogout prepares the way to the MVPD's logout page, if it has one.
func (s *Service) prepareLogout(ctx context.Context, r *api.Request, p *mvpd.Provider, found finding, redirectURL string) (logoutAction, error) {
	if found.kind == appleSSO { // the framework ends its session
		return logoutAction{ActionName: "partner_logout", ActionType: "partner_interactive"}, nil
	}
	id := logout.ID{ServiceProvider: r.Parameter, Secret: drawSecret()}
	step, err := s.logoutStep(ctx, r, p, id, found.GetAccount())
	if err != nil {
		return logoutAction{}, err
	}
	if step.None() {
		return logoutAction{ActionName: "complete", ActionType: "none"}, nil
	}
	err = s.Logouts.Create(ctx, r.ID, id, &logout.Create{
		Mvpd: r.Item, Account: found.GetAccount(), RedirectUrl: redirectURL, TtlMs: r.Realm.Session.TTL.Milliseconds(),
	})
	if err != nil {
		return logoutAction{}, err
	}
	return logoutAction{ActionName: "logout", ActionType: "interactive", URL: logoutAgent + handle(id)}, nil
}

// logoutStep is the way to the MVPD's logout page; the zero Step when it has none.
func (s *Service) logoutStep(ctx context.Context, r *api.Request, p *mvpd.Provider, id logout.ID, encoded []byte) (mvpd.Step, error) {
	account := &login.Account{}
	if err := proto.Unmarshal(encoded, account); err != nil {
		return mvpd.Step{}, err
	}
	return p.Logout(ctx, mvpd.Logout{
		Subject: account.GetSubject(), Handle: account.GetHandle(),
		Return: r.Config.PublicURL + logoutCallback + "?state=" + handle(id),
	})
}

func answerLogout(r *api.Request, action logoutAction) (api.Response, error) {
	action.MVPD = r.Item
	return answerJSON(r, map[string]map[string]logoutAction{"logouts": {r.Item: action}})
}

// handle is how a logout is named in URLs.
func handle(id logout.ID) string { return id.ServiceProvider + "." + id.Secret }

// logoutID reads a handle, and finds the realm, which the path does not name.
func logoutID(r *api.Request, handle string) (logout.ID, error) {
	provider, secret, _ := strings.Cut(handle, ".")
	realm, _, ok := r.Config.ServiceProvider(provider)
	if !ok || len(secret) != secretSize {
		return logout.ID{}, logout.ErrUsed
	}
	r.Realm = realm
	return logout.ID{ServiceProvider: provider, Secret: secret}, nil
}

// LogoutAgent serves GET /api/v2/logout-agent/{id}: it sends a browser to the
// MVPD's logout page, once.
func (s *Service) LogoutAgent(ctx context.Context, r *api.Request) (api.Response, error) {
	id, err := logoutID(r, r.Item)
	if err != nil {
		return api.Response{}, err
	}
	name, account, err := s.Logouts.Take(ctx, r.ID, id)
	if err != nil {
		return api.Response{}, err
	}
	p, err := s.Providers.Find(r.Config, r.Realm, id.ServiceProvider, name)
	var step mvpd.Step
	if err == nil {
		step, err = s.logoutStep(ctx, r, p, id, account)
	}
	switch {
	case err != nil || step.None(): // the configuration changed: the app is what is left
		return s.home(ctx, r, id)
	case step.Form != nil:
		_, provider, _ := r.Config.ServiceProvider(id.ServiceProvider)
		return passOn(r, provider, p, step.Form)
	}
	return sendTo(step.URL), nil
}

// LogoutCallback serves GET /api/v2/logout-agent/callback: a browser comes back
// from the MVPD and goes on to the app.
func (s *Service) LogoutCallback(ctx context.Context, r *api.Request) (api.Response, error) {
	values, err := query(r)
	if err != nil {
		return api.Response{}, err
	}
	id, err := logoutID(r, values.Get("state"))
	if err != nil {
		return api.Response{}, err
	}
	return s.home(ctx, r, id)
}

// home sends a browser back to the app, or shows a last page when the app gave no URL.
func (s *Service) home(ctx context.Context, r *api.Request, id logout.ID) (api.Response, error) {
	to, err := s.Logouts.Back(ctx, r.ID, id)
	switch {
	case err != nil:
		return api.Response{}, err
	case to != "":
		return sendTo(to), nil
	}
	_, provider, _ := r.Config.ServiceProvider(id.ServiceProvider)
	return notify(r, provider, page.Done, &words(r).SignedOut, enterAt(r, id.ServiceProvider))
}
