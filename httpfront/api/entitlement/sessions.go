package entitlement

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"ssod/actors/device"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/actors/session"
	"ssod/httpfront/api"
	"ssod/httpfront/api/form"
	"ssod/httpfront/api/headers"
)

// sessionAnswer is the body of the calls that begin or resume a session;
// httpfront/docs/entitlement.md#create-a-session. Times are texts here.
type sessionAnswer struct {
	ActionName        string   `json:"actionName"`
	ActionType        string   `json:"actionType"`
	ReasonType        string   `json:"reasonType"`
	MissingParameters []string `json:"missingParameters,omitempty"`
	URL               string   `json:"url,omitempty"`
	Code              string   `json:"code,omitempty"`
	SessionID         string   `json:"sessionId"`
	MVPD              string   `json:"mvpd,omitempty"`
	ServiceProvider   string   `json:"serviceProvider"`
	NotBefore         string   `json:"notBefore,omitempty"`
	NotAfter          string   `json:"notAfter,omitempty"`
	verification

	AuthenticationRequest *partnerRequest `json:"authenticationRequest,omitempty"`
}

// noReason is why a login is necessary: there is none.
const noReason = "none"

// maxCodes is how many codes are tried before all of them seem to be taken.
const maxCodes = 5

// CreateSession serves POST /api/v2/{serviceProvider}/sessions.
func (s *Service) CreateSession(ctx context.Context, r *api.Request) (api.Response, error) {
	return s.createSession(ctx, r, noReason)
}

// createSession begins a session for a reason, or says that a login is there.
func (s *Service) createSession(ctx context.Context, r *api.Request, reason string) (api.Response, error) {
	a, d, err := s.admitDevice(r)
	if err != nil {
		return api.Response{}, err
	}
	if err := checkPartner(r); err != nil {
		return api.Response{}, err
	}
	wanted, err := s.parameters(r, a)
	if err != nil {
		return api.Response{}, err
	}
	identities, err := s.identities(ctx, r, a, d.Device)
	if err != nil {
		return api.Response{}, err
	}
	found, err := s.findOrDegrade(ctx, r, a, d, identities, wanted.GetMvpd())
	if err != nil {
		return api.Response{}, err
	}
	if found.Standing(r.Received) == login.Good {
		return answerJSON(r, authorizeAnswer(a.provider.ID, string(r.AppendTrace(nil)), found))
	}
	m, err := s.describe(r, a, d, identities)
	if err != nil {
		return api.Response{}, err
	}
	m.Parameters = wanted.Parameters
	id, created, err := s.beginSession(ctx, r, d, m)
	if err != nil {
		return api.Response{}, err
	}
	answer := loginAnswer(id, &session.View{
		Parameters: m.Parameters, Party: m.Party, NotBeforeMs: created.GetNotBeforeMs(), NotAfterMs: created.GetNotAfterMs(),
	}, "resume")
	answer.ReasonType = reason
	if wanted.verification {
		if answer.verification, err = newVerification(r, id); err != nil {
			return api.Response{}, err
		}
	}
	return answerJSON(r, answer)
}

// describe is a session with what is known of the device that begins it.
func (s *Service) describe(r *api.Request, a app, d device.ID, identities []identity) (*session.Create, error) {
	info, name, err := headers.Describe(r)
	if err != nil {
		return nil, err
	}
	attributes := headers.AttributesOrAgent(r)
	return &session.Create{TtlMs: r.Realm.Session.TTL.Milliseconds(), DeviceInfo: info, Party: &session.Party{
		ServiceProvider: d.ServiceProvider, Device: intent.At(d.Address()), TrackingId: string(r.AppendTrace(nil)), AppName: a.name,
		DeviceName: name, DeviceType: attributes.GetDeviceType(), UnknownPlatform: attributes.GetPlatform() == headers.UnknownPlatform,
		Network: s.network(r.Realm, r.Address), Sharing: sharings(identities),
	}}, nil
}

// beginSession makes a session and makes it the device's current one.
func (s *Service) beginSession(ctx context.Context, r *api.Request, d device.ID, m *session.Create) (session.ID, *session.CreateReply, error) {
	id, created, err := s.newSession(ctx, r, m)
	if err != nil {
		return id, nil, err
	}
	err = s.Devices.Begin(ctx, r.ID, d, &device.Begin{Session: intent.At(id.Address()), UntilMs: created.GetNotAfterMs()})
	return id, created, err
}

// newSession draws codes until one is free.
func (s *Service) newSession(ctx context.Context, r *api.Request, m *session.Create) (session.ID, *session.CreateReply, error) {
	for range maxCodes {
		id := session.ID{ServiceProvider: r.Parameter, Code: drawCode()}
		reply, err := s.Sessions.Create(ctx, r.ID, id, m)
		if !errors.Is(err, session.ErrTaken) {
			return id, reply, err
		}
	}
	return session.ID{}, nil, fmt.Errorf("%d codes in a row: %w", maxCodes, session.ErrTaken)
}

// ResumeSession serves POST /api/v2/{serviceProvider}/sessions/{code}.
func (s *Service) ResumeSession(ctx context.Context, r *api.Request) (api.Response, error) {
	a, err := s.admit(r)
	if err != nil {
		return api.Response{}, err
	}
	id, err := sessionID(r)
	if err != nil {
		return api.Response{}, err
	}
	given, err := s.parameters(r, a)
	if err != nil {
		return api.Response{}, err
	}
	view, err := lookUp(s, r, id, func() (*session.View, error) { return s.Sessions.Amend(ctx, r.ID, id, given.Parameters) })
	if err != nil {
		return api.Response{}, err
	}
	if d, ok := device.IDAt(view.GetParty().GetDevice()); ok {
		found, err := s.findOrDegrade(ctx, r, a, d, nil, view.GetParameters().GetMvpd())
		if err != nil {
			return api.Response{}, err
		}
		if found.Standing(r.Received) == login.Good {
			return answerJSON(r, authorizeAnswer(a.provider.ID, view.GetParty().GetTrackingId(), found))
		}
	}
	return answerJSON(r, loginAnswer(id, view, "retry"))
}

// sessionForm is what an app says of a session.
type sessionForm struct {
	*session.Parameters
	verification bool // the app shows a second screen how to log in
}

// parameters reads and checks the form of a session. It may be empty.
func (s *Service) parameters(r *api.Request, a app) (sessionForm, error) {
	if len(r.Body) > 0 && !r.HasForm() {
		return sessionForm{}, api.ErrForm
	}
	given, ok := form.Parse(string(r.Body))
	if !ok {
		return sessionForm{}, api.ErrForm
	}
	p, err := s.checkParameters(r, a, given)
	return sessionForm{p, given["verification"] == "true"}, err
}

func (s *Service) checkParameters(r *api.Request, a app, given map[string]string) (*session.Parameters, error) {
	p := &session.Parameters{Mvpd: given["mvpd"], DomainName: given["domainName"], RedirectUrl: given["redirectUrl"]}
	if p.DomainName != "" && !a.provider.HasDomain(p.DomainName) {
		return nil, api.ErrDomainName
	}
	if p.RedirectUrl != "" {
		if err := checkRedirect(a.provider, p.RedirectUrl); err != nil {
			return nil, err
		}
	}
	if p.Mvpd != "" {
		if _, err := s.Providers.Find(r.Config, r.Realm, a.provider.ID, p.Mvpd); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// authorizeAnswer tells an app to go on to decisions.
func authorizeAnswer(serviceProvider, trackingID string, found finding) *sessionAnswer {
	return &sessionAnswer{
		ActionName: "authorize", ActionType: "direct", ReasonType: found.reason(),
		URL:       "/api/v2/" + serviceProvider + "/decisions/authorize/" + found.GetMvpd(),
		SessionID: trackingID, MVPD: found.GetMvpd(), ServiceProvider: serviceProvider,
	}
}

// reason is why no login is necessary.
func (f finding) reason() string {
	switch f.kind {
	case regular:
		return "authenticated"
	case degraded, temporary:
		return f.kind
	}
	return "authenticatedSSO"
}

// loginAnswer tells an app to open a browser, or, as incomplete, which parameters are
// missing for that.
func loginAnswer(id session.ID, v *session.View, incomplete string) *sessionAnswer {
	out := &sessionAnswer{
		ActionName: "authenticate", ActionType: "interactive", ReasonType: noReason,
		URL:  "/api/v2/authenticate/" + id.ServiceProvider + "/" + id.Code,
		Code: id.Code, SessionID: v.GetParty().GetTrackingId(), MVPD: v.GetParameters().GetMvpd(), ServiceProvider: id.ServiceProvider,
		NotBefore: strconv.FormatInt(v.GetNotBeforeMs(), 10), NotAfter: strconv.FormatInt(v.GetNotAfterMs(), 10),
	}
	if out.MissingParameters = missing(v.GetParameters()); len(out.MissingParameters) > 0 {
		out.ActionName, out.ActionType = incomplete, "direct"
		out.URL = "/api/v2/" + id.ServiceProvider + "/sessions/" + id.Code
	}
	return out
}

func missing(p *session.Parameters) (names []string) {
	for _, parameter := range []struct{ name, value string }{
		{"mvpd", p.GetMvpd()}, {"domainName", p.GetDomainName()}, {"redirectUrl", p.GetRedirectUrl()},
	} {
		if parameter.value == "" {
			names = append(names, parameter.name)
		}
	}
	return names
}

// answerJSON answers a call that is not made often enough to be written by hand.
func answerJSON(r *api.Request, body any) (api.Response, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return api.Response{}, fmt.Errorf("encode the answer: %w", err)
	}
	return api.Response{Status: http.StatusOK, Body: append(r.Buffer, b...)}, nil
}
