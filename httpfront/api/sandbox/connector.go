package sandbox

import (
	"cmp"
	"context"
	"crypto/subtle"
	"fmt"
	"net/url"
	"strings"
	"time"

	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/page"
)

// Kind is the kind of the sandbox in the configuration.
const Kind = "sandbox"

// How long tickets are good: a login page as long as the longest documented
// login, a grant as long as a browser takes for one redirect.
const (
	loginTTL  = 30 * time.Minute
	grantTTL  = time.Minute
	logoutTTL = 10 * time.Minute
)

// Options is what sandboxes need of the service around them.
type Options struct {
	// Key returns a secret of a realm, which is the same on all nodes and never changes.
	Key func(realm string) []byte
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Delay is what a slow viewer takes; 0 means two seconds.
	Delay time.Duration
}

// Maker makes the connectors of sandboxes.
func Maker(o Options) mvpd.Maker {
	if o.Now == nil {
		o.Now = time.Now
	}
	return func(cfg *config.Config, realm *config.Realm, m *config.MVPD) (mvpd.Connector, error) {
		key := o.Key(realm.ID)
		if len(key) == 0 {
			return nil, fmt.Errorf("no key for realm %s", realm.ID)
		}
		return &Connector{
			sealer: sealer{key: derive(key, m.ID), now: o.Now},
			base:   cfg.PublicURL, path: "/sandbox/" + realm.ID + "/" + m.ID,
			name: m.DisplayName, brand: brandOf(m), logout: m.LogoutEndpoint, delay: cmp.Or(o.Delay, 2*time.Second),
		}, nil
	}
}

// brandOf is how an MVPD looks on its own pages.
func brandOf(m *config.MVPD) page.Brand {
	b := m.Brand()
	return page.Brand{Name: m.DisplayName, LogoURL: b.LogoURL, IconURL: b.FaviconURL, Light: b.Color, Dark: b.DarkColor}
}

// Connector is one sandbox: both the connector and what its pages need.
type Connector struct {
	sealer
	base   string // the public URL of the service
	path   string // of the pages, below base
	name   string
	brand  page.Brand
	logout bool // it has a logout endpoint
	delay  time.Duration
}

// request is what a login ticket says to the login page.
type request struct {
	State           string `json:"state"`
	Nonce           string `json:"nonce"`
	Challenge       string `json:"challenge"`
	Callback        string `json:"callback"`
	ServiceProvider string `json:"sp"`
}

// grant is what the login page says to Complete, as an authorization code.
type grant struct {
	Viewer    string `json:"viewer"`
	Nonce     string `json:"nonce"`
	Challenge string `json:"challenge"`
}

// Begin implements [mvpd.Connector].
func (c *Connector) Begin(_ context.Context, l mvpd.Login) (mvpd.Step, error) {
	ticket, err := c.seal("login", loginTTL, request{l.State, l.Nonce, l.Challenge(), l.Callback, l.ServiceProvider})
	if err != nil {
		return mvpd.Step{}, err
	}
	return mvpd.Step{URL: c.page("/login", ticket)}, nil
}

// Test implements [mvpd.Tester]: the sandbox is this service itself. The link is that of a
// login which nobody began, so it ends with an error.
func (c *Connector) Test(ctx context.Context, r *mvpd.Report, l mvpd.Login) {
	step, err := c.Begin(ctx, l)
	if err != nil {
		r.Fail("login url", "look at the log", "%v", err)
		return
	}
	r.OK("login url", "%s", step.URL)
	r.Warn("sandbox", "for tests only", "the sandbox asks nobody for a password")
}

// Complete implements [mvpd.Connector].
func (c *Connector) Complete(_ context.Context, l mvpd.Login, values url.Values) (mvpd.Identity, error) {
	if code := values.Get("error"); code != "" {
		return mvpd.Identity{}, &mvpd.LoginError{Code: known(code)}
	}
	var g grant
	if err := c.open("grant", values.Get("code"), &g); err != nil {
		return mvpd.Identity{}, &mvpd.LoginError{Code: mvpd.InvalidRequest}
	}
	v := viewerByID(g.Viewer)
	if v == nil || !same(g.Nonce, l.Nonce) || !same(g.Challenge, l.Challenge()) {
		return mvpd.Identity{}, &mvpd.LoginError{Code: mvpd.InvalidRequest}
	}
	return v.identity(), nil
}

// known passes on only the codes that the page sends: the query can be forged.
func known(code string) string {
	switch code {
	case mvpd.AccessDenied, mvpd.TemporarilyUnavailable:
		return code
	}
	return mvpd.ServerError
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// farewell is what a logout ticket says.
type farewell struct {
	Return string `json:"return"`
}

// Logout implements [mvpd.Connector].
func (c *Connector) Logout(_ context.Context, l mvpd.Logout) (mvpd.Step, error) {
	if !c.logout {
		return mvpd.Step{}, nil
	}
	ticket, err := c.seal("logout", logoutTTL, farewell{l.Return})
	if err != nil {
		return mvpd.Step{}, err
	}
	return mvpd.Step{URL: c.page("/logout", ticket)}, nil
}

func (c *Connector) page(name, ticket string) string {
	return c.base + c.path + name + "?ticket=" + url.QueryEscape(ticket)
}

// secure reports whether browsers reach the pages through TLS.
func (c *Connector) secure() bool { return strings.HasPrefix(c.base, "https:") }
