package e2e

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"encoding/xml"
	"fmt"
	"html"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/crewjam/saml"

	"ssod/cmd/internal/ssodtest"
	"ssod/httpfront/client"
)

// TestKilledBetweenTheStepsOfSAML kills the node with SIGKILL before each step of a login at a
// SAML provider and of the logouts from both sides: the browser goes on where it was. The
// provider is crewjam's implementation of one. The short form kills only where something is
// on its way.
func TestKilledBetweenTheStepsOfSAML(t *testing.T) {
	t.Parallel()
	s := newSAMLStory(t)
	onItsWay := map[string]bool{"browser comes back": true, "browser comes back from it": true, "phone finds nothing more": true}
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"phone begins a session", s.begin},
		{"browser opens the login", s.open},
		{"provider's answer is posted", s.post},
		{"browser comes back", s.comeBack},
		{"phone finds the login", s.finds("viewer-7")},
		{"phone logs out", s.logOut},
		{"browser goes to the provider", s.leave},
		{"browser comes back from it", s.home},
		{"phone finds nothing", s.finds("")},
		{"phone begins another session", s.begin},
		{"browser opens that login", s.open},
		{"the second answer is posted", s.post},
		{"browser comes back again", s.comeBack},
		{"provider ends the login", s.ended},
		{"phone finds nothing more", s.finds("")},
	} {
		if ssodtest.Long() || onItsWay[step.name] {
			s.node.Kill()
			s.node.Start()
			t.Logf("killed before %q", step.name)
		}
		step.do()
	}
	for _, hidden := range []string{"viewer-7", "session-of-viewer-7", s.form.Get("SAMLResponse")[:64], s.form.Get("RelayState")} {
		if strings.Contains(s.node.Logged(), hidden) {
			t.Errorf("%q is in the log", hidden)
		}
	}
}

// samlStory is a phone, a browser and a provider.
type samlStory struct {
	*testing.T
	saml.IdentityProvider
	node         *node
	credentials  client.Credentials
	own, foreign *openIDBrowser // the same one, with its cookies and without: from another site
	participants []saml.SessionParticipant

	session client.Session
	at      string     // where the browser goes next
	form    url.Values // what it posts next
}

func newSAMLStory(t *testing.T) *samlStory {
	s := &samlStory{T: t}
	dir := t.TempDir()
	write := func(name string, data []byte) { must(t, os.WriteFile(filepath.Join(dir, name), data, 0o600)) }
	key, certificate := newSAMLKey(t)
	s.Key, s.Certificate, s.Logger = key, certificate, log.New(io.Discard, "", 0)
	s.MetadataURL, s.SSOURL, s.LogoutURL = samlAddress("/metadata"), samlAddress("/sso"), samlAddress("/slo")
	s.ServiceProviderProvider, s.SessionProvider = s, s
	metadata, err := xml.Marshal(s.IdentityProvider.Metadata())
	must(t, err)
	write("idp.xml", metadata)
	key, certificate = newSAMLKey(t)
	write("sp.key", pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	write("sp.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}))
	s.node = startNode(t, fmt.Sprintf(`
publicURL: %s
throttle: {enabled: false}
realms:
  - id: acme
    serviceProviders: [{id: tv, displayName: Stream One, domains: [app.example]}]
    mvpds: [{id: dish, kind: saml, decision: authenticated, metadataFile: %s/idp.xml, keyFile: %[2]s/sp.key, certFile: %[2]s/sp.crt}]
`, publicURL, dir))
	_, s.credentials = registerOpenIDApp(t, s.node)
	s.own, s.foreign = newOpenIDBrowser(t, s.node), newOpenIDBrowser(t, s.node)
	for _, b := range []*openIDBrowser{s.own, s.foreign} {
		b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	s.foreign.Jar = nil
	return s
}

func samlAddress(path string) url.URL {
	return url.URL{Scheme: "https", Host: "idp.dish.example", Path: path}
}

func newSAMLKey(t *testing.T) (*rsa.PrivateKey, *x509.Certificate) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	certificate, err := x509.ParseCertificate(der)
	must(t, err)
	return key, certificate
}

// GetServiceProvider reads the metadata that the node publishes.
func (s *samlStory) GetServiceProvider(*http.Request, string) (*saml.EntityDescriptor, error) {
	described := &saml.EntityDescriptor{}
	s.foreign.take(s.foreign.Get(publicURL + "/saml/acme/dish/metadata"))
	return described, xml.Unmarshal([]byte(s.foreign.page), described)
}

// GetSession logs everybody in as the same viewer.
func (s *samlStory) GetSession(http.ResponseWriter, *http.Request, *saml.IdpAuthnRequest) *saml.Session {
	return &saml.Session{
		ID: "1", Index: "session-of-viewer-7", NameID: "viewer-7", NameIDFormat: string(saml.PersistentNameIDFormat),
		CreateTime: time.Now(), ExpireTime: time.Now().Add(time.Hour),
	}
}

// InvalidateSession lets the provider forget its viewer.
func (s *samlStory) InvalidateSession(http.ResponseWriter, *http.Request, *saml.IdpLogoutRequest) error {
	return nil
}

// AddSessionParticipant lets the provider know whom it logged in.
func (s *samlStory) AddSessionParticipant(_ *http.Request, _ *saml.Session, by saml.SessionParticipant) error {
	s.participants = []saml.SessionParticipant{by}
	return nil
}

// SessionParticipants are those of its only session.
func (s *samlStory) SessionParticipants(*http.Request, func(*saml.Session) bool) ([]saml.SessionParticipant, error) {
	return s.participants, nil
}

// provider lets the provider answer the browser.
func (s *samlStory) provider(serve http.HandlerFunc) *httptest.ResponseRecorder {
	r := httptest.NewRecorder()
	serve(r, httptest.NewRequest(http.MethodGet, s.at, nil))
	return r
}

// phone is the app on a phone, at the address that the node has now.
func (s *samlStory) phone() *client.Device {
	c, err := client.New(client.Options{BaseURL: "http://" + s.node.at().HTTP, ServiceProvider: "tv"})
	must(s, err)
	return c.WithCredentials(s.credentials).Device(client.DeviceOptions{ID: "phone"})
}

func (s *samlStory) begin() {
	session, err := s.phone().CreateSession(s.Context(), client.SessionParameters{MVPD: "dish", DomainName: "app.example", RedirectURL: "https://app.example/in"})
	must(s, err)
	s.session = session
}

var samlField = regexp.MustCompile(`name="(\w+)" value="([^"]*)"`)

func (s *samlStory) open() {
	s.own.open(s.session.URL)
	s.at, s.form = s.own.at, url.Values{}
	for _, m := range samlField.FindAllStringSubmatch(s.provider(s.ServeSSO).Body.String(), -1) {
		s.form.Set(m[1], html.UnescapeString(m[2]))
	}
}

func (s *samlStory) post() {
	s.foreign.take(s.foreign.PostForm(publicURL+"/saml/acme/dish/acs", s.form))
	s.at = s.foreign.at
}

func (s *samlStory) comeBack() {
	s.own.open(s.at)
	if s.own.at != "https://app.example/in" {
		s.Fatalf("the login ends at %s", s.own.at)
	}
}

// finds waits until the phone finds the login of a viewer, or none.
func (s *samlStory) finds(viewer string) func() {
	return func() {
		must(s, eventually(s.Context(), func(ctx context.Context) error {
			profiles, err := s.phone().Profiles(ctx)
			if err != nil {
				return err
			}
			got := strings.Trim(string(profiles["dish"].Attributes["userID"].Value), `"`)
			if got != viewer {
				return fmt.Errorf("the phone finds %q, want %q", got, viewer)
			}
			return nil
		}))
	}
}

func (s *samlStory) logOut() {
	out, err := s.phone().Logout(s.Context(), "dish", "https://app.example/out")
	must(s, err)
	s.at = out.URL
}

func (s *samlStory) leave() {
	s.own.open(s.at)
	s.at = s.own.at
	s.at = s.provider(s.ServeSLO).Header().Get("Location")
}

func (s *samlStory) home() {
	s.own.open(s.at)
	s.own.open(s.own.at)
	if s.own.at != "https://app.example/out" {
		s.Fatalf("the logout ends at %s", s.own.at)
	}
}

// ended is the provider's logout, which hears that it was done.
func (s *samlStory) ended() {
	begun := httptest.NewRecorder()
	s.StartLogout(begun, httptest.NewRequest(http.MethodGet, "https://idp.dish.example/bye", nil), &saml.Session{ID: "1"}, "https://idp.dish.example/done")
	s.own.open(begun.Header().Get("Location"))
	answer := httptest.NewRequest(http.MethodGet, s.own.at, nil)
	for _, c := range begun.Result().Cookies() {
		answer.AddCookie(c)
	}
	done := httptest.NewRecorder()
	s.ServeSLO(done, answer)
	if at := done.Header().Get("Location"); at != "https://idp.dish.example/done" {
		s.Fatalf("the provider does not take the answer: %d %s", done.Code, done.Body)
	}
}
