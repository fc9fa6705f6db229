package entitlement

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"ssod/actors/session"
	"ssod/httpfront/api"
	"ssod/httpfront/api/form"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/page"
)

var (
	//go:embed question.html
	questionText string

	questionPage = page.MustParse(questionText)
	noticePage   = page.MustParse(`<p>{{.}}</p>`)
)

// maxName bounds the characters of a device's name on the page.
const maxName = 64

// question asks a viewer whether the device that began a session is theirs. What
// the device says of itself its owner may have made up; the code he cannot.
func (s *Service) question(r *api.Request, o *opening, p *mvpd.Provider) (api.Response, error) {
	_, provider, _ := r.Config.ServiceProvider(o.ServiceProvider)
	html, err := questionPage.Render(words.Question, map[string]any{
		"Words": words, "ServiceProvider": provider.DisplayName, "Provider": p.Config.DisplayName,
		"Device": deviceName(o.GetParty()), "Code": o.Code[:len(o.Code)/2] + " " + o.Code[len(o.Code)/2:],
		"Token": s.confirmation(r, o.ID, o.browser),
	})
	if err != nil {
		return api.Response{}, err
	}
	return ownPage(html, cookie(r, o.browser, r.Realm.Session.TTL)), nil
}

// ownPage answers with a page of this package.
func ownPage(html []byte, more ...api.Field) api.Response {
	fields := append([]api.Field{{Name: "Content-Security-Policy", Value: page.Policy}}, more...)
	return api.Response{Status: http.StatusOK, ContentType: page.ContentType, Body: html, Fields: fields}
}

// deviceName is a device in a few words: TV, Samsung QX-55.
func deviceName(by *session.Party) string {
	name := visible(by.GetDeviceName())
	kind, known := words.devices[by.GetDeviceType()]
	switch {
	case known && name != "":
		return kind + ", " + name
	case known:
		return kind
	case name != "":
		return name
	}
	return words.Unknown
}

// visible is a text without what a reader does not see, such as marks that turn
// the direction of writing round, and not too long.
func visible(s string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s))
	if utf8.RuneCountInString(s) > maxName {
		return string([]rune(s)[:maxName-1]) + "…"
	}
	return s
}

// confirmation proves that an answer to the question comes from a page that was made for
// this browser and this session.
func (s *Service) confirmation(r *api.Request, id session.ID, browser string) string {
	mac := hmac.New(sha256.New, s.browserKey(r.Realm, browser))
	mac.Write([]byte("confirmation\x00" + id.ServiceProvider + "." + id.Code))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
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
	case browser == "" || subtle.ConstantTimeCompare([]byte(given["token"]), []byte(s.confirmation(r, id, browser))) != 1:
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
	var answer api.Response
	if o.GetFinished() {
		answer = sendTo(o.GetParameters().GetRedirectUrl())
	} else if answer, err = s.begin(ctx, r, o); err != nil {
		return api.Response{}, err
	}
	if answer.Status == http.StatusFound {
		answer.Status = http.StatusSeeOther // with GET, whatever this was
	}
	return answer, nil
}

// decline ends the session of a device that the viewer does not know.
func (s *Service) decline(ctx context.Context, r *api.Request, id session.ID) (api.Response, error) {
	_, err := lookUp(s, r, id, func() (struct{}, error) { return struct{}{}, s.Sessions.Decline(ctx, r.ID, id) })
	if err != nil {
		return api.Response{}, err
	}
	html, err := noticePage.Render(words.Declined, words.Over)
	if err != nil {
		return api.Response{}, err
	}
	return ownPage(html), nil
}
