package entitlement

import (
	"context"
	_ "embed"
	"errors"
	"net/url"

	"ssod/actors/session"
	"ssod/actors/typedcode"
	"ssod/httpfront/api"
	"ssod/httpfront/api/form"
	"ssod/httpfront/config"
	"ssod/httpfront/page"
	"ssod/httpfront/page/texts"
)

// activatePath is where viewers type the code of a device, with the service provider and the
// code below it.
const activatePath = "/activate"

// enterAt is where a code of a service provider is typed.
func enterAt(r *api.Request, serviceProvider string) string {
	return r.Config.PublicURL + activatePath + "/" + serviceProvider
}

// withCode adds a code to the address where it is typed; empty: none.
func withCode(address, code string) string {
	if code == "" {
		return address
	}
	return address + "?code=" + url.QueryEscape(code)
}

var (
	//go:embed enter.html
	enterText string
	//go:embed brands.html
	brandsText string
	//go:embed plate.html
	plateText string

	enterPage  = page.MustParse(enterText)
	brandsPage = page.MustParse(brandsText, plateText)
)

// plate is an entry of a list, with its picture.
type plate struct{ ID, Name, Logo, Initial, Href string }

func newPlate(id, name, logo string) plate {
	p := plate{ID: id, Name: name, Logo: logo}
	for _, first := range name {
		p.Initial = string(first)
		break
	}
	return p
}

// ActivateBrands serves GET /activate: which service provider's code it is. Those that are not
// listed have pages all the same.
func (s *Service) ActivateBrands(_ context.Context, r *api.Request) (api.Response, error) {
	code := codeInQuery(r)
	var brands []plate
	var images []string
	for _, realm := range r.Config.Realms {
		for _, sp := range realm.ServiceProviders {
			if !sp.Listed {
				continue
			}
			brand := newPlate(sp.ID, sp.DisplayName, sp.LogoURL)
			brand.Href = withCode(enterAt(r, sp.ID), code)
			brands, images = append(brands, brand), append(images, sp.LogoURL)
		}
	}
	switch len(brands) {
	case 0:
		return api.Response{}, api.ErrNotFound
	case 1:
		return sendTo(brands[0].Href), nil
	}
	t := words(r)
	return show(r, view{
		page: brandsPage, title: t.Brands.Title, images: images,
		data: map[string]any{"Words": t, "Brands": brands},
	})
}

// codeInQuery is the code that came with a link; empty: none that could be one.
func codeInQuery(r *api.Request) string {
	values, err := url.ParseQuery(r.Query())
	code := typedcode.Canonical(values.Get("code"))
	if err != nil || !validCode(code) {
		return ""
	}
	return code
}

// entry is the page where a code is typed.
type entry struct {
	code string // is in the field already
	// wrong is why the page comes again, with another heading and another text; nil: it
	// comes for the first time.
	wrong      error
	title, why string
}

// Activate serves GET /activate/{serviceProvider}: a code is typed, or has come with the link
// and is confirmed. Nothing is looked up: this may be a scanner of links.
func (s *Service) Activate(_ context.Context, r *api.Request) (api.Response, error) {
	values, err := url.ParseQuery(r.Query())
	if err == nil && values.Has(staleKey) {
		return s.enter(r, stale(r, codeInQuery(r)))
	}
	return s.enter(r, entry{code: codeInQuery(r)})
}

// staleKey in the query says that a code was typed without the cookie of its page.
const staleKey = "stale"

// stale is the page again, since the one before was not made for this browser.
func stale(r *api.Request, code string) entry {
	t := words(r)
	return entry{code, api.ErrStranger, t.Enter.Title, t.Enter.Stale}
}

func (s *Service) enter(r *api.Request, e entry) (api.Response, error) {
	if r.Realm == nil {
		return api.Response{}, api.ErrServiceProvider
	}
	browser := browserOf(r)
	if browser == "" {
		browser = drawSecret()
	}
	_, provider, _ := r.Config.ServiceProvider(r.Parameter)
	t := words(r)
	v := view{page: enterPage, title: t.Enter.Title, provider: provider}
	text := texts.Fill(t.Enter.Text, "brand", provider.DisplayName)
	switch {
	case e.wrong != nil:
		row, _ := api.Classify(e.wrong)
		v.code, v.title, text = row.Code, e.title, texts.Fill(e.why)
	case e.code != "":
		text = texts.Fill(t.Enter.Scanned, "brand", provider.DisplayName)
	}
	shown := e.code
	if validCode(shown) {
		shown = grouped(shown)
	}
	v.data = map[string]any{
		"Words": t, "Text": text, "Code": shown, "Wrong": errors.Is(e.wrong, api.ErrCode), "Scanned": e.code != "" && e.wrong == nil,
		"To": enterAt(r, provider.ID), "Token": s.mayType(r.Realm, browser, provider.ID),
	}
	return show(r, v, cookie(r, browser, r.Realm.Session.TTL))
}

// mayType proves that a code was typed on a page that was made for the browser.
func (s *Service) mayType(realm *config.Realm, browser, serviceProvider string) string {
	return s.proof(realm, browser, "activation\x00"+serviceProvider)
}

// ActivateCode serves POST /activate/{serviceProvider}: a viewer typed a code. One that is
// over is not valid to a browser that did not see it open.
func (s *Service) ActivateCode(ctx context.Context, r *api.Request) (api.Response, error) {
	if r.Realm == nil {
		return api.Response{}, api.ErrServiceProvider
	}
	given, ok := form.Parse(string(r.Body))
	if !ok || !r.HasForm() {
		return api.Response{}, api.ErrBody
	}
	t, browser := words(r), browserOf(r)
	id := session.ID{ServiceProvider: r.Parameter, Code: typedcode.Canonical(given["code"])}
	switch {
	case browser == "":
		return typedWithoutCookie(r, id), nil
	case !proves(given["token"], s.mayType(r.Realm, browser, r.Parameter)):
		return s.enter(r, stale(r, clip(given["code"])))
	}
	invalid := entry{clip(given["code"]), api.ErrCode, t.Enter.Invalid.Title, t.Enter.Invalid.Text}
	if !validCode(id.Code) {
		return s.enter(r, invalid)
	}
	_, err := lookUp(s, r, id, func() (*session.OpenReply, error) { return s.openOnPage(ctx, r, id, browser) })
	switch {
	case errors.Is(err, session.ErrUnknown), errors.Is(err, session.ErrOver):
		return s.enter(r, invalid)
	case err != nil:
		return api.Response{}, err
	}
	return seeOther(sendTo(s.openedAt(r, id, browser), cookie(r, browser, r.Realm.Session.TTL))), nil
}

// typedWithoutCookie sends a browser to the page where a code is typed. A cookie is set there
// and not here: a POST from another site comes without the one that the browser has, and a
// new one would take its place and end a login under way.
func typedWithoutCookie(r *api.Request, id session.ID) api.Response {
	values := url.Values{staleKey: {""}}
	if validCode(id.Code) {
		values.Set("code", id.Code)
	}
	return seeOther(sendTo(enterAt(r, id.ServiceProvider) + "?" + values.Encode()))
}

// clip bounds what is shown again of what was typed.
func clip(typed string) string {
	runes := []rune(visible(typed))
	return string(runes[:min(len(runes), 2*codeLength)])
}

// openOnPage opens a session on the pages of activation.
func (s *Service) openOnPage(ctx context.Context, r *api.Request, id session.ID, browser string) (*session.OpenReply, error) {
	return s.Sessions.Open(ctx, r.ID, id, &session.Open{Browser: session.Digest(browser), Page: true})
}

// openedAt is the address of a session for the browser that opened it, and for no other.
func (s *Service) openedAt(r *api.Request, id session.ID, browser string) string {
	realm, _, _ := r.Config.ServiceProvider(id.ServiceProvider)
	return enterAt(r, id.ServiceProvider) + "/" + id.Code + "?opened=" + s.hasOpened(realm, browser, id)
}

// hasOpened proves that a browser has opened a session that could be used then.
func (s *Service) hasOpened(realm *config.Realm, browser string, id session.ID) string {
	return s.proof(realm, browser, "opened\x00"+id.ServiceProvider+"."+id.Code)
}

// providersOf are the TV providers that a viewer of a service provider may choose: those at
// which there is a login.
func (s *Service) providersOf(r *api.Request, serviceProvider string) (list []plate) {
	for p := range s.Providers.Active(r.Config, r.Realm, serviceProvider) {
		if isTemporary(p) {
			continue
		}
		list = append(list, newPlate(p.Config.ID, p.Config.DisplayName, p.Config.LogoURL))
	}
	return list
}

// logos are the addresses of the pictures of a list.
func logos(list []plate) (addresses []string) {
	for _, p := range list {
		addresses = append(addresses, p.Logo)
	}
	return addresses
}
