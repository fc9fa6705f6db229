package entitlement

import (
	"context"
	"encoding/json"
	"strconv"

	"ssod/actors/session"
	"ssod/httpfront/api"
)

// sessionView is the body of a session that is read;
// httpfront/docs/entitlement.md#read-a-session.
type sessionView struct {
	ExistingParameters existingParameters `json:"existingParameters"`
	MissingParameters  []string           `json:"missingParameters,omitempty"`
	Device             json.RawMessage    `json:"device"`
	NotBefore          string             `json:"notBefore"`
	NotAfter           string             `json:"notAfter"`
}

// existingParameters has the domain under both of its documented names.
type existingParameters struct {
	MVPD            string `json:"mvpd,omitempty"`
	DomainName      string `json:"domainName,omitempty"`
	Domain          string `json:"domain,omitempty"`
	RedirectURL     string `json:"redirectUrl,omitempty"`
	ServiceProvider string `json:"serviceProvider"`
}

// ReadSession serves GET /api/v2/{serviceProvider}/sessions/{code}.
func (s *Service) ReadSession(ctx context.Context, r *api.Request) (api.Response, error) {
	if _, err := s.admit(r); err != nil {
		return api.Response{}, err
	}
	id, err := sessionID(r)
	if err != nil {
		return api.Response{}, err
	}
	v, err := lookUp(s, r, id, func() (*session.View, error) { return s.Sessions.Read(ctx, r.ID, id) })
	switch {
	case err != nil:
		return api.Response{}, err
	case v.GetStage() != session.Stage_OPEN:
		return api.Response{}, session.ErrOver
	}
	p := v.GetParameters()
	return answerJSON(r, &sessionView{
		ExistingParameters: existingParameters{p.GetMvpd(), p.GetDomainName(), p.GetDomainName(), p.GetRedirectUrl(), id.ServiceProvider},
		MissingParameters:  missing(p),
		Device:             v.GetDeviceInfo(),
		NotBefore:          strconv.FormatInt(v.GetNotBeforeMs(), 10),
		NotAfter:           strconv.FormatInt(v.GetNotAfterMs(), 10),
	})
}
