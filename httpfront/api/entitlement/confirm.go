package entitlement

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"net/http"

	"ssod/actors/session"
	"ssod/httpfront/api"
	"ssod/httpfront/api/form"
	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/page"
	"ssod/httpfront/page/texts"
)

var (
	//go:embed question.html
	questionText string
	//go:embed card.html
	cardText string

	questionPage = page.MustParse(questionText, cardText)
)

// question asks a viewer whether the device that began a session is theirs. On the pages of
// activation the answer says which MVPD was chosen, and goes to another address.
func (s *Service) question(r *api.Request, o *opening, p *mvpd.Provider, to string) (api.Response, error) {
	_, provider, _ := r.Config.ServiceProvider(o.ServiceProvider)
	t := words(r)
	data := map[string]any{
		"Words": t, "Card": newCard(t, o.ID, o.GetParty()), "Token": s.confirmation(r, o.ID, o.browser), "To": to,
		"Asks": texts.Fill(t.Question.Asks, "brand", provider.DisplayName, "provider", p.Config.DisplayName),
	}
	if to != "" {
		data["MVPD"] = p.Config.ID
	}
	v := view{page: questionPage, title: t.Question.Title, provider: provider, data: data}
	return show(r, v, cookie(r, o.browser, r.Realm.Session.TTL))
}

// confirmation proves that an answer to the question comes from a page that was made for
// this browser and this session.
func (s *Service) confirmation(r *api.Request, id session.ID, browser string) string {
	return s.proof(r.Realm, browser, "confirmation\x00"+id.ServiceProvider+"."+id.Code)
}

// proof is what only the service can make for a browser, and proves something to it.
func (s *Service) proof(realm *config.Realm, browser, of string) string {
	mac := hmac.New(sha256.New, s.browserKey(realm, browser))
	mac.Write([]byte(of))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// proves reports whether a browser gave the proof that was made for it.
func proves(given, want string) bool {
	return subtle.ConstantTimeCompare([]byte(given), []byte(want)) == 1
}

// Confirm serves POST /api/v2/authenticate/{serviceProvider}/{code}: a viewer
// answers the question.
func (s *Service) Confirm(ctx context.Context, r *api.Request) (api.Response, error) {
	id, err := loginID(r)
	if err != nil {
		return api.Response{}, err
	}
	given, ok := form.Parse(string(r.Body))
	browser := browserOf(r)
	switch {
	case !ok || !r.HasForm():
		return api.Response{}, api.ErrBody
	case browser == "" || !proves(given["token"], s.confirmation(r, id, browser)):
		return api.Response{}, api.ErrStranger
	}
	switch given["answer"] {
	case "continue":
		return s.goOn(ctx, r, id, browser)
	case "decline":
		return s.decline(ctx, r, id)
	}
	return api.Response{}, api.ErrBody
}

// goOn sends the browser of a viewer who knows the device to the MVPD, or to the
// app when the login is made.
func (s *Service) goOn(ctx context.Context, r *api.Request, id session.ID, browser string) (api.Response, error) {
	o, err := s.open(ctx, r, id, browser)
	if err != nil {
		return api.Response{}, err
	}
	if o.GetFinished() {
		return seeOther(s.sendHome(r, o, "")), nil
	}
	answer, err := s.begin(ctx, r, o, o.GetParameters().GetMvpd())
	return seeOther(answer), err
}

// seeOther makes a redirect one that browsers follow with GET, whatever this was.
func seeOther(answer api.Response) api.Response {
	if answer.Status == http.StatusFound {
		answer.Status = http.StatusSeeOther
	}
	return answer
}

// decline ends the session of a device that the viewer does not know.
func (s *Service) decline(ctx context.Context, r *api.Request, id session.ID) (api.Response, error) {
	_, err := lookUp(s, r, id, func() (struct{}, error) { return struct{}{}, s.Sessions.Decline(ctx, r.ID, id) })
	if err != nil {
		return api.Response{}, err
	}
	_, provider, _ := r.Config.ServiceProvider(id.ServiceProvider)
	return notify(r, provider, page.Stop, &words(r).Declined, enterAt(r, id.ServiceProvider))
}
