package saml_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
)

// idp is a provider with a login page, which a test tells what to answer.
type idp struct {
	*httptest.Server
	metadata string
	page     int // status of the login page
	document int // status of the metadata
}

func startIDP(t *testing.T) *idp {
	p := &idp{page: http.StatusOK, document: http.StatusOK}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metadata" {
			w.WriteHeader(p.document)
			_, _ = io.WriteString(w, p.metadata)
			return
		}
		w.WriteHeader(p.page)
	}))
	t.Cleanup(p.Close)
	p.metadata = strings.ReplaceAll(metadata(parties()["provider"]), "https://idp.dish.example/s", p.URL+"/s")
	return p
}

// probed tests a provider at a time, after a change.
func probed(t *testing.T, at time.Time, change func(p *idp, m *config.MVPD)) *mvpd.Report {
	t.Helper()
	p := startIDP(t)
	f := connect(t, func(m *config.MVPD) {
		m.MetadataFile, m.MetadataURL = "", p.URL+"/metadata"
		if change != nil {
			change(p, m)
		}
	})
	r := &mvpd.Report{Now: at}
	f.Test(t.Context(), r, f.login)
	return r
}

func TestAProviderThatIsWell(t *testing.T) {
	var checks []string
	r := probed(t, time.Now(), nil)
	for _, l := range r.Lines {
		checks = append(checks, l.Check)
		if l.Result == mvpd.Fail {
			t.Errorf("got %+v", l)
		}
	}
	want := []string{"own keys", "own keys", "own metadata", "tls", "clock", "metadata", "entity id", "signing keys", "login", "login", "logout", "login page", "login url"}
	if diff := cmp.Diff(want, checks); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
	if l := r.Lines[len(r.Lines)-1]; !strings.Contains(l.Detail, "/sso?tenant=1&SAMLRequest=") {
		t.Errorf("the login URL is %s", l.Detail)
	}
}

// TestWhatIsWrongWithAProvider breaks one thing at a time.
func TestWhatIsWrongWithAProvider(t *testing.T) {
	later := parties()["provider"].certificate.NotAfter.Add(time.Hour)
	tests := map[string]struct {
		at     time.Time
		change func(p *idp, m *config.MVPD)
		want   string // a line
	}{
		"nobody listens": {time.Now(), func(p *idp, _ *config.MVPD) { p.Close() }, "fail metadata: 127.0.0.1:"},
		"no metadata":    {time.Now(), func(p *idp, _ *config.MVPD) { p.document = 404 }, "fail metadata: http://127.0.0.1:"},
		"a page":         {time.Now(), func(p *idp, _ *config.MVPD) { p.metadata = "<html></html>" }, "fail metadata: http://127.0.0.1:"},
		"metadata that is over": {time.Now(), func(p *idp, _ *config.MVPD) {
			p.metadata = strings.Replace(p.metadata, `ID="_meta"`, `ID="_meta" validUntil="2020-01-01T00:00:00Z"`, 1)
		}, "fail metadata: http://127.0.0.1:"},
		"metadata that nobody signed": {time.Now(), func(_ *idp, m *config.MVPD) {
			m.MetadataCertFile = file(t, t.TempDir(), "ca.crt", parties()["provider"].certPEM())
		}, "fail metadata: http://127.0.0.1:"},
		"certificates that have ended": {later, nil, "warn signing keys: the certificate of the provider (provider) expired on "},
		"own ones, too":                {later, nil, "warn own keys: the certificate of this service (certFile) expired on "},
		"an unknown service":           {time.Now(), func(p *idp, _ *config.MVPD) { p.page = 403 }, "fail login page: the provider's login page answered 403"},
		"a login page that fails":      {time.Now(), func(p *idp, _ *config.MVPD) { p.page = 500 }, "fail login page: the provider's login page answered 500"},
		"no logout": {time.Now(), func(p *idp, _ *config.MVPD) {
			p.metadata = strings.ReplaceAll(p.metadata, "SingleLogoutService", "ManageNameIDService")
		}, "warn logout: the provider has no single logout"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := probed(t, tt.at, tt.change)
			for _, l := range r.Lines {
				if strings.HasPrefix(string(l.Result)+" "+l.Check+": "+l.Detail, tt.want) && l.Advice != "" {
					return
				}
			}
			t.Errorf("no line %q in %+v", tt.want, r.Lines)
		})
	}
}

// TestCertificatesThatAreWatched: those of this service, and the last one of the provider.
func TestCertificatesThatAreWatched(t *testing.T) {
	got, all := connect(t).Certificates(), parties()
	last := all["provider"].certificate.NotAfter
	if other := all["provider next"].certificate.NotAfter; other.After(last) {
		last = other
	}
	want := []mvpd.Certificate{
		{Use: mvpd.CertOwn, NotAfter: all["service"].certificate.NotAfter},
		{Use: mvpd.CertOwn, NotAfter: all["service next"].certificate.NotAfter},
		{Use: mvpd.CertSigning, NotAfter: last},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("certificates (-want +got):\n%s", diff)
	}
}
