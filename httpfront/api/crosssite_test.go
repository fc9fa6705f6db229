package api

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"ssod/httpfront/config"
	"ssod/httpfront/wire"
)

// TestCrossSite compares with net/http, but for two cases: the pages here have no referrer, so
// that old browsers say null, and a proxy may have given the service another host.
func TestCrossSite(t *testing.T) {
	const public = "https://sso.example/tv"
	for _, site := range []string{"", "same-origin", "none", "same-site", "cross-site", "new", "Same-Origin"} {
		for _, origin := range []string{
			"", "null", "https://sso.example", "http://sso.example", "https://sso.example:8443", "https://evil.example",
			"https://sso.example.evil.example", "sso.example", "https://inner:8080", "file://",
		} {
			for _, host := range []string{"sso.example", "inner:8080"} {
				r := &Request{Request: &wire.Request{}, Config: &config.Config{PublicURL: public}}
				theirs := httptest.NewRequest("POST", "/activate/tv", http.NoBody)
				theirs.Host = host
				r.Set(wire.Host, []byte(host))
				for name, value := range map[wire.Name]string{wire.SecFetchSite: site, wire.Origin: origin} {
					if value != "" {
						r.Set(name, []byte(value))
						theirs.Header.Set(map[wire.Name]string{wire.SecFetchSite: "Sec-Fetch-Site", wire.Origin: "Origin"}[name], value)
					}
				}
				want := http.NewCrossOriginProtection().Check(theirs) != nil
				if site == "" && (origin == "null" || origin == "https://sso.example") {
					want = false
				}
				if got := r.CrossSite(); got != want {
					t.Errorf("Sec-Fetch-Site %q, Origin %q, Host %q: got %v, want %v", site, origin, host, got, want)
				}
			}
		}
	}
}
