package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

// Action is what comes next in a login.
type Action string

// The actions; more may come.
const (
	// ActionAuthenticate: open [Session.URL] in a browser.
	ActionAuthenticate Action = "authenticate"
	// ActionResume and ActionRetry: parameters are missing, give them with
	// [Client.ResumeSession].
	ActionResume Action = "resume"
	ActionRetry  Action = "retry"
	// ActionAuthorize: there is a login already, go on with [Device.Authorize].
	ActionAuthorize Action = "authorize"
	// ActionPartner: give [Session.AuthenticationRequest] to the partner's framework, and
	// what the MVPD answers to [Device.PartnerProfile].
	ActionPartner Action = "partner_profile"
	// ActionLogout: open [Logout.URL] in a browser, so that the MVPD forgets the
	// viewer too.
	ActionLogout Action = "logout"
	// ActionComplete and ActionInvalid, of a logout: it is done, or there was no
	// login.
	ActionComplete Action = "complete"
	ActionInvalid  Action = "invalid"
)

// SessionParameters say how a login is to be; those that are missing can be given
// later.
type SessionParameters struct {
	MVPD string
	// DomainName is one of the service provider's; see [Client.Configuration].
	DomainName string
	// RedirectURL is where the browser ends: below one of the domains, or in the
	// app's own scheme.
	RedirectURL string
	// Verification asks for what a second screen needs: [Session.VerificationURL] and
	// the fields after it. Nothing else has to be given then. [Client.ResumeSession]
	// does not look at it.
	Verification bool
}

func (p SessionParameters) form() url.Values {
	form := url.Values{}
	for name, value := range map[string]string{"mvpd": p.MVPD, "domainName": p.DomainName, "redirectUrl": p.RedirectURL} {
		if value != "" {
			form.Set(name, value)
		}
	}
	if p.Verification {
		form.Set("verification", "true")
	}
	return form
}

// Session is a login in progress.
type Session struct {
	Action Action `json:"actionName"`
	// Reason is why no login is needed: authenticated, authenticatedSSO, or degraded
	// while the operator does without logins at the MVPD. With a partner,
	// configuration_fallback: go on without it.
	Reason            string   `json:"reasonType"`
	MissingParameters []string `json:"missingParameters"`
	// URL is absolute; empty: none.
	URL string `json:"url"`
	// Code names the session, for a second screen or for a browser.
	Code            string `json:"code"`
	ID              string `json:"sessionId"` // for tracking
	MVPD            string `json:"mvpd"`
	ServiceProvider string `json:"serviceProvider"`
	NotBefore       Time   `json:"notBefore"`
	NotAfter        Time   `json:"notAfter"`

	// VerificationURL is where the viewer logs in on a second screen, with the code;
	// VerificationURLShort is the same to be typed, without it. Both are absolute. QR is
	// the first one as an SVG document.
	VerificationURL      string `json:"verificationUrl"`
	VerificationURLShort string `json:"verificationUrlShort"`
	QR                   string `json:"qr"`
	// Interval is how many seconds to pause between two polls, as [Device.AwaitProfile]
	// does.
	Interval int `json:"interval"`

	// AuthenticationRequest is for a partner's framework; nil: none.
	AuthenticationRequest *AuthenticationRequest `json:"authenticationRequest"`
}

// AuthenticationRequest is what a partner's framework asks the MVPD.
type AuthenticationRequest struct {
	Type            string   `json:"type"`    // saml
	Request         string   `json:"request"` // an AuthnRequest in Base64
	AttributesNames []string `json:"attributesNames"`
}

// CreateSession begins a login; the device's earlier one ends.
// httpfront/openapi.yaml#createSession
func (d *Device) CreateSession(ctx context.Context, p SessionParameters) (Session, error) {
	return d.begin(ctx, "createSession", d.client.v2("sessions"), p)
}

// CreatePartnerSession begins a login with the help of a partner.
// httpfront/openapi.yaml#createPartnerSession
func (d *Device) CreatePartnerSession(ctx context.Context, partner string, p SessionParameters) (Session, error) {
	return d.begin(ctx, "createPartnerSession", d.client.v2("sessions", "sso", partner), p)
}

func (d *Device) begin(ctx context.Context, operation, path string, p SessionParameters) (s Session, err error) {
	err = d.v2(ctx, &call{operation: operation, method: http.MethodPost, path: path, form: p.form(), repeatable: true}, &s)
	s.URL = d.client.absolute(s.URL)
	return s, err
}

// ResumeSession gives parameters that were missing, with the session's code alone:
// another device may do it. httpfront/openapi.yaml#resumeSession
func (c *Client) ResumeSession(ctx context.Context, code string, p SessionParameters) (s Session, err error) {
	k := &call{operation: "resumeSession", method: http.MethodPost, path: c.v2("sessions", code), form: p.form(), repeatable: true}
	err = c.do(ctx, k, &s)
	s.URL = c.absolute(s.URL)
	return s, err
}

// SessionView is what a second screen may know of a login.
type SessionView struct {
	ExistingParameters struct {
		MVPD            string `json:"mvpd"`
		DomainName      string `json:"domainName"`
		RedirectURL     string `json:"redirectUrl"`
		ServiceProvider string `json:"serviceProvider"`
	} `json:"existingParameters"`
	MissingParameters []string        `json:"missingParameters"`
	Device            json.RawMessage `json:"device"` // DescribedDevice in the OpenAPI document
	NotBefore         Time            `json:"notBefore"`
	NotAfter          Time            `json:"notAfter"`
}

// ReadSession looks at a login in progress. httpfront/openapi.yaml#readSession
func (c *Client) ReadSession(ctx context.Context, code string) (v SessionView, err error) {
	err = c.do(ctx, &call{operation: "readSession", method: http.MethodGet, path: c.v2("sessions", code), repeatable: true}, &v)
	return v, err
}

// absolute is an address that the service gives by its path.
func (c *Client) absolute(address string) string {
	if len(address) > 0 && address[0] == '/' {
		return c.options.BaseURL + address
	}
	return address
}

// Logout says what is left to do.
type Logout struct {
	Action Action `json:"actionName"`
	MVPD   string `json:"mvpd"`
	URL    string `json:"url"` // absolute; empty: none
}

// Logout ends the login at an MVPD, and with a service token that of all devices of
// the profile. The browser ends at the redirectURL; empty: at a page of the service.
//
// It is not repeated when its outcome is unknown, because a second call would find
// no login and no URL to open. httpfront/openapi.yaml#logout
func (d *Device) Logout(ctx context.Context, mvpd, redirectURL string) (Logout, error) {
	var out struct {
		Logouts map[string]Logout `json:"logouts"`
	}
	k := &call{operation: "logout", method: http.MethodGet, path: d.client.v2("logout", mvpd)}
	if redirectURL != "" {
		k.query = url.Values{"redirectUrl": {redirectURL}}
	}
	err := d.v2(ctx, k, &out)
	l := out.Logouts[mvpd]
	l.URL = d.client.absolute(l.URL)
	return l, err
}
