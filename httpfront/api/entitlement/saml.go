package entitlement

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"ssod/actors/once"
	"ssod/httpfront/api"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/mvpd/saml"
	"ssod/httpfront/page"
)

// The endpoints of SAML providers are below /saml/{realm}/{mvpd}; what is judged there is
// package saml's. Browsers come to them from the provider.

// samlAt finds the provider that the path names.
func (s *Service) samlAt(r *api.Request) (*mvpd.Provider, *saml.Connector, error) {
	realm, ok := r.Config.Realm(r.Parameter)
	if !ok {
		return nil, nil, api.ErrNotFound
	}
	p, err := s.Providers.Provider(r.Config, realm, r.Item)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", api.ErrNotFound, err)
	}
	c, ok := p.Connector.(*saml.Connector)
	if !ok {
		return nil, nil, api.ErrNotFound
	}
	r.Realm = realm
	return p, c, nil
}

// SAMLMetadata serves GET /saml/{realm}/{mvpd}/metadata.
func (s *Service) SAMLMetadata(_ context.Context, r *api.Request) (api.Response, error) {
	_, c, err := s.samlAt(r)
	if err != nil {
		return api.Response{}, err
	}
	text, err := c.Metadata()
	if err != nil {
		return api.Response{}, err
	}
	return api.Response{Status: http.StatusOK, ContentType: saml.MetadataType, CacheControl: "max-age=300", Body: text}, nil
}

// SAMLAnswer serves POST /saml/{realm}/{mvpd}/acs: a browser brings the provider's answer to a
// login. It comes from the provider's site and so without its cookie, which it shows at the
// callback.
func (s *Service) SAMLAnswer(ctx context.Context, r *api.Request) (api.Response, error) {
	p, _, err := s.samlAt(r)
	if err != nil {
		return api.Response{}, err
	}
	given, err := posted(r)
	if err != nil {
		return api.Response{}, err
	}
	return s.receive(ctx, r, p, given)
}

// SAMLLogout serves GET and POST /saml/{realm}/{mvpd}/slo: a browser brings what the provider
// says of logouts. It ends the logins here, and the browser takes the answer back; or it is the
// answer to a logout that began here, and the browser goes on to the app.
func (s *Service) SAMLLogout(ctx context.Context, r *api.Request) (api.Response, error) {
	p, c, err := s.samlAt(r)
	if err != nil {
		return api.Response{}, err
	}
	var given url.Values
	if string(r.Method) == http.MethodPost {
		if given, err = posted(r); err != nil {
			return api.Response{}, err
		}
	}
	word, err := c.Hear(ctx, r.Query(), given)
	if err != nil {
		return api.Response{}, unanswered(r, p, err)
	}
	if !word.Request {
		if word.Problem != nil {
			p.Warn("a TV provider did not log a viewer out", "trace", string(r.AppendTrace(nil)), "error", word.Problem)
		}
		return seeOther(sendTo(r.Config.PublicURL + logoutCallback + "?state=" + url.QueryEscape(word.State))), nil
	}
	step, err := c.Answer(ctx, word, s.endFor(ctx, r, p, word))
	if err != nil {
		return api.Response{}, unanswered(r, p, err)
	}
	return answerLogoutOf(r, p, step)
}

// endFor ends what a provider's LogoutRequest names.
func (s *Service) endFor(ctx context.Context, r *api.Request, p *mvpd.Provider, word saml.Word) saml.Outcome {
	switch err := s.end(ctx, r, p, word.End); {
	case err == nil:
		return saml.Ended
	case errors.Is(err, once.ErrTaken):
		return saml.Refused
	default:
		p.Warn("a logout of a TV provider could not be carried out", "trace", string(r.AppendTrace(nil)), "error", err)
		return saml.Failed
	}
}

// answerLogoutOf sends the browser back to the provider with the answer, or shows that the viewer
// is signed out where the provider wants none.
func answerLogoutOf(r *api.Request, p *mvpd.Provider, step mvpd.Step) (api.Response, error) {
	switch {
	case step.Form != nil:
		return passOn(r, nil, p, step.Form)
	case step.URL != "":
		return seeOther(sendTo(step.URL)), nil
	}
	return notify(r, nil, page.Done, &words(r).SignedOut, r.Config.PublicURL+activatePath)
}
