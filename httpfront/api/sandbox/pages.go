package sandbox

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"ssod/httpfront/api"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/page"
	"ssod/httpfront/wire"
)

// Pages serves what the browser sees of all sandboxes:
//
//	GET  /sandbox/{realm}/{mvpd}/login?ticket=   the list of viewers
//	POST /sandbox/{realm}/{mvpd}/login?ticket=   one was chosen; back to the callback
//	GET  /sandbox/{realm}/{mvpd}/logout?ticket=  forgets the viewer; back
type Pages struct {
	Providers *mvpd.Registry
}

//go:embed login.html
var loginText string

var loginPage = page.MustParse(loginText)

// arrive finds the sandbox of the path and reads the ticket for a page of it. A request
// without exactly one ticket does not come from the service.
func (p Pages) arrive(r *api.Request, purpose string, ticket any) (*Connector, error) {
	path, query, _ := bytes.Cut(r.Target, []byte{'?'})
	segments := strings.Split(string(path), "/") // "", sandbox, realm, mvpd, page
	realm, ok := r.Config.Realm(segments[2])
	if !ok {
		return nil, api.ErrNotFound
	}
	provider, err := p.Providers.Provider(r.Config, realm, segments[3])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", api.ErrNotFound, err)
	}
	connector, ok := provider.Connector.(*Connector)
	if !ok {
		return nil, api.ErrNotFound
	}
	values, err := url.ParseQuery(string(query))
	if err != nil || len(values["ticket"]) != 1 {
		return nil, api.ErrBody
	}
	if err := connector.open(purpose, values.Get("ticket"), ticket); err != nil {
		return nil, fmt.Errorf("%w: %w", api.ErrBody, err)
	}
	return connector, nil
}

// Login serves GET of the login page.
func (p Pages) Login(_ context.Context, r *api.Request) (api.Response, error) {
	var asked request
	v, err := p.arrive(r, "login", &asked)
	if err != nil {
		return api.Response{}, err
	}
	d, err := loginPage.Render(page.Page{Title: "Sign in to " + v.name, Brand: v.brand}, map[string]any{
		"ServiceProvider": asked.ServiceProvider, "Provider": v.name,
		"Viewers": viewers, "Last": v.remembered(r.Header(wire.Cookie)),
	})
	if err != nil {
		return api.Response{}, err
	}
	return api.Response{
		Status: http.StatusOK, ContentType: page.ContentType, Body: d.HTML,
		Fields: []api.Field{{Name: "Content-Security-Policy", Value: d.Policy}},
	}, nil
}

// Choose serves POST of the login page.
func (p Pages) Choose(ctx context.Context, r *api.Request) (api.Response, error) {
	var asked request
	v, err := p.arrive(r, "login", &asked)
	if err != nil {
		return api.Response{}, err
	}
	form, err := url.ParseQuery(string(r.Body))
	if err != nil {
		return api.Response{}, fmt.Errorf("%w: %w", api.ErrBody, err)
	}
	if form.Has("cancel") {
		return v.back(asked, url.Values{"error": {mvpd.AccessDenied}})
	}
	chosen := viewerByID(form.Get("viewer"))
	if chosen == nil {
		return api.Response{}, api.ErrBody
	}
	return v.admit(ctx, asked, chosen)
}

// admit logs a viewer in.
func (v *Connector) admit(ctx context.Context, asked request, chosen *viewer) (api.Response, error) {
	if err := v.pause(ctx, chosen); err != nil {
		return api.Response{}, err
	}
	if chosen.fails {
		return v.back(asked, url.Values{"error": {mvpd.ServerError}})
	}
	code, err := v.seal("grant", grantTTL, grant{chosen.ID, asked.Nonce, asked.Challenge})
	if err != nil {
		return api.Response{}, err
	}
	cookie, err := v.remember(chosen)
	if err != nil {
		return api.Response{}, err
	}
	return v.back(asked, url.Values{"code": {code}}, cookie)
}

// back sends the browser to the callback. 303 makes it a GET.
func (v *Connector) back(asked request, values url.Values, more ...api.Field) (api.Response, error) {
	values.Set("state", asked.State)
	return redirect(http.StatusSeeOther, asked.Callback, values, more...)
}

// Logout serves GET of the logout endpoint.
func (p Pages) Logout(_ context.Context, r *api.Request) (api.Response, error) {
	var f farewell
	v, err := p.arrive(r, "logout", &f)
	if err != nil {
		return api.Response{}, err
	}
	return redirect(http.StatusFound, f.Return, nil, v.forget())
}

// redirect adds values to the query of a URL of the service's own.
func redirect(status int, to string, values url.Values, more ...api.Field) (api.Response, error) {
	u, err := url.Parse(to)
	if err != nil {
		return api.Response{}, fmt.Errorf("redirect: %w", err)
	}
	query := u.Query()
	for name, value := range values {
		query[name] = value
	}
	u.RawQuery = query.Encode()
	return api.Response{
		Status: status, ContentType: page.ContentType,
		Fields: append([]api.Field{{Name: "Location", Value: u.String()}}, more...),
	}, nil
}
