package entitlement

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"ssod/httpfront/api"
	"ssod/httpfront/config"
)

// maxRedirectURL is the longest redirectUrl in bytes.
const maxRedirectURL = 2048

// checkRedirect checks where a browser is sent in the end: an absolute URL of the service
// provider, so that its name cannot be abused to send browsers elsewhere;
// httpfront/docs/entitlement.md#create-a-session. Its host is looked for in the domains
// of the configuration, whatever the port; an app's own scheme counts with or without a
// host.
func checkRedirect(sp *config.ServiceProvider, text string) error {
	if len(text) > maxRedirectURL || strings.ContainsFunc(text, unfit) {
		return api.ErrRedirectURL
	}
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.Opaque != "" || u.Scheme == "" {
		return api.ErrRedirectURL
	}
	onWeb := u.Scheme == "https" || u.Scheme == "http"
	if onWeb && sp.HasHost(u.Hostname()) || !onWeb && hasScheme(sp, u) {
		return nil
	}
	return api.ErrRedirectURL
}

// unfit are characters that some browsers read differently, or drop.
func unfit(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }

// hasScheme reports whether a URL is of an app's own scheme.
func hasScheme(sp *config.ServiceProvider, u *url.URL) bool {
	return slices.ContainsFunc(sp.Domains, func(domain string) bool {
		scheme, host, own := strings.Cut(domain, "://")
		return own && strings.EqualFold(u.Scheme, scheme) && (host == "" || strings.EqualFold(u.Host, host))
	})
}

// withError adds what went wrong to the URL of an app (RFC 6749, 4.1.2.1).
func withError(redirectURL, code string) string {
	u, err := url.Parse(redirectURL)
	if err != nil {
		return redirectURL // it was checked when the session was begun
	}
	q := u.Query()
	q.Set("error", code)
	u.RawQuery = q.Encode()
	return u.String()
}

// sendTo answers a browser with the way on.
func sendTo(url string, more ...api.Field) api.Response {
	fields := append([]api.Field{{Name: "Location", Value: url}, {Name: "Referrer-Policy", Value: "no-referrer"}}, more...)
	return api.Response{Status: http.StatusFound, ContentType: "text/html; charset=utf-8", Fields: fields}
}
