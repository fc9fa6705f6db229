package entitlement

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"ssod/actors"
	"ssod/actors/answer"
	"ssod/actors/once"
	"ssod/actors/session"
	"ssod/httpfront/api"
	"ssod/httpfront/api/form"
	"ssod/httpfront/mvpd"
)

// postedLevel is the format level of a cluster that can keep posted answers.
const postedLevel = 2

// leastOnce is for how long an id counts as used at least, whatever a provider's clock
// says.
const leastOnce = 10 * time.Minute

// errAnswer says that a connector does not keep to its contract.
var errAnswer = errors.New("answer of a TV provider out of bounds")

// PostedCallback serves POST /api/v2/authenticate/callback: a browser brings the answer of
// an MVPD that posts it from its own site.
func (s *Service) PostedCallback(ctx context.Context, r *api.Request) (api.Response, error) {
	given, err := posted(r)
	if err != nil {
		return api.Response{}, err
	}
	a, realm, ok := s.named(r, given.Get("state"))
	if !ok {
		return api.Response{}, api.ErrStranger
	}
	r.Realm = realm
	p, err := s.Providers.Find(r.Config, realm, a.ServiceProvider, a.mvpd)
	if err != nil {
		return api.Response{}, err
	}
	return s.receive(ctx, r, p, given)
}

// posted reads a form.
func posted(r *api.Request) (url.Values, error) {
	given, ok := form.Parse(string(r.Body))
	if !ok || !r.HasForm() {
		return nil, api.ErrBody
	}
	values := make(url.Values, len(given))
	for name, value := range given {
		values.Set(name, value)
	}
	return values, nil
}

// receive judges an answer that a browser posted from the site of an MVPD of the request's
// realm, stores it, and sends the browser on to the login's callback. A POST across sites
// comes without the cookie, which the GET then brings. The ids of the answer are claimed
// first, so that one that comes again leaves nothing; a node that dies in between costs the
// viewer one attempt.
func (s *Service) receive(ctx context.Context, r *api.Request, p *mvpd.Provider, given url.Values) (api.Response, error) {
	by, ok := p.Connector.(mvpd.Receiver)
	if !ok {
		return api.Response{}, api.ErrStranger
	}
	got, err := by.Receive(ctx, given)
	if err != nil {
		return api.Response{}, unanswered(r, p, err)
	}
	a, realm, ok := s.named(r, got.State)
	if !ok || realm != r.Realm || a.mvpd != p.Config.ID || !p.ActiveFor(a.ServiceProvider) {
		return api.Response{}, api.ErrStranger
	}
	values := got.Values.Encode()
	if len(values) > mvpd.MaxAnswer || len(got.Once) > mvpd.MaxOnce {
		return api.Response{}, errAnswer
	}
	for _, id := range got.Once {
		if err := s.claim(ctx, r, p, "answer", id); err != nil {
			return api.Response{}, err
		}
	}
	secret := drawSecret()
	if err := s.Answers.Store(ctx, r.ID, answer.ID{ServiceProvider: a.ServiceProvider, Secret: secret}, got.State, values); err != nil {
		return api.Response{}, err
	}
	to := sendTo(r.Config.PublicURL + loginCallback + "?" + url.Values{"state": {got.State}, "answer": {secret}}.Encode())
	to.Status = http.StatusSeeOther // a GET, whatever the browser makes of 302
	return to, nil
}

// unanswered is what a viewer is told of an answer that does not count, or could not be
// judged. The reason is for operators.
func unanswered(r *api.Request, p *mvpd.Provider, err error) error {
	p.Warn("the answer of a TV provider was refused", "trace", string(r.AppendTrace(nil)), "error", err)
	if ended, ok := errors.AsType[*mvpd.LoginError](err); ok && ended.Code == mvpd.InvalidRequest {
		return api.ErrStranger
	}
	return fmt.Errorf("%w: the answer of a TV provider cannot be judged", actors.ErrUnavailable)
}

// claim takes an id that an MVPD uses once, for a use that it is for.
func (s *Service) claim(ctx context.Context, r *api.Request, p *mvpd.Provider, use string, id mvpd.Once) error {
	if id.ID == "" || len(id.ID) > mvpd.MaxID {
		return errAnswer
	}
	until := id.Until
	if least := r.Received.Add(leastOnce); until.Before(least) {
		until = least
	}
	at := once.ID{Realm: r.Realm.ID, MVPD: p.Config.ID, Text: use + "\x00" + id.ID}
	return s.Onces.Claim(ctx, r.ID, at, until)
}

// answerOf returns what the MVPD answered to a login: what the browser brings, or what
// was stored for it where the MVPD posts its answers.
func (s *Service) answerOf(ctx context.Context, r *api.Request, a *attempt, brought url.Values) (url.Values, error) {
	p, err := s.Providers.Find(r.Config, r.Realm, a.ServiceProvider, a.mvpd)
	if err != nil {
		return nil, nil // complete says so; if it finds the MVPD after all, the browser has brought nothing
	}
	if _, posts := p.Connector.(mvpd.Receiver); !posts {
		return brought, nil
	}
	secret := brought.Get("answer")
	if len(secret) != secretSize {
		return nil, answer.ErrGone
	}
	id := answer.ID{ServiceProvider: a.ServiceProvider, Secret: secret}
	values, err := s.Answers.Take(ctx, r.ID, id, brought.Get("state"), session.Digest(a.browser))
	if err != nil {
		return nil, err
	}
	return url.ParseQuery(values)
}

// canReceive is an error if an MVPD posts its answers and the cluster cannot keep them yet.
func (s *Service) canReceive(p *mvpd.Provider) error {
	if _, posts := p.Connector.(mvpd.Receiver); !posts || s.Level() >= postedLevel {
		return nil
	}
	return &mvpd.LoginError{
		Code:  mvpd.TemporarilyUnavailable,
		Cause: &actors.LevelError{Kind: answer.KindName, Has: s.Level(), Need: postedLevel},
	}
}
