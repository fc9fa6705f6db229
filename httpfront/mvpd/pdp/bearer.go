package pdp

import (
	"net/http"

	"ssod/httpfront/config"
)

// withToken is a client whose questions have the token of the decision point, if there is one.
func withToken(client *http.Client, m *config.MVPD) *http.Client {
	if m.AuthzTokenFile == "" {
		return client
	}
	known := *client
	known.Transport = bearer{client.Transport, m}
	return &known
}

// bearer adds a token to requests; RFC 6750, 2.1. It is read for each of them, so that a new
// one counts at once. The client follows no redirect, so nobody else gets it.
type bearer struct {
	http.RoundTripper
	mvpd *config.MVPD
}

// RoundTrip implements [http.RoundTripper].
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	token, err := b.mvpd.AuthzToken()
	if err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+token)
	return b.RoundTripper.RoundTrip(r)
}
