package browse

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"encoding/xml"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crewjam/saml"

	"ssod/httpfront/client"
	"ssod/httpfront/fronttest/browsertest"
	"ssod/httpfront/page/texts"
)

// formal is a realm with one TV provider, which speaks SAML.
const formal = `
throttle: {enabled: false}
realms:
  - id: acme
    serviceProviders: [{id: STREAM1, displayName: Stream One, domains: ["127.0.0.1"], logoUrl: "LOGOS/stream.svg", color: "#8a1253"}]
    mvpds: [{id: Dish, displayName: Dish Two, kind: saml, decision: authenticated, metadataFile: DIR/idp.xml, keyFile: DIR/sp.key, certFile: DIR/sp.crt}]
`

// dish is a TV provider by crewjam's implementation of one, at a site of its own. It takes
// requests in forms only, and knows its viewer.
type dish struct {
	saml.IdentityProvider
	service string // the address of the service's metadata
}

// newFormalWorld starts the provider and a node that is connected to it.
func newFormalWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := &dish{}
	d.Key, d.Certificate = keyPair(t)
	d.Logger, d.ServiceProviderProvider, d.SessionProvider = log.New(io.Discard, "", 0), d, d
	mux := http.NewServeMux()
	mux.HandleFunc("POST /sso", d.ServeSSO)
	mux.HandleFunc("POST /slo", d.ServeSLO)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	at := strings.Replace(server.Listener.Addr().String(), "127.0.0.1", "localhost", 1) // another site than the service's
	d.MetadataURL, d.SSOURL, d.LogoutURL = address(at, "/metadata"), address(at, "/sso"), address(at, "/slo")
	metadata, err := xml.Marshal(d.IdentityProvider.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	write("idp.xml", []byte(strings.ReplaceAll(string(metadata), "HTTP-Redirect", "HTTP-POST")))
	key, certificate := keyPair(t)
	write("sp.key", pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	write("sp.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}))
	w := newWorldOf(t, strings.NewReplacer("LOGOS", logos(t), "DIR", dir).Replace(formal))
	d.service = w.api + "/saml/acme/Dish/metadata"
	return w
}

func address(host, path string) url.URL { return url.URL{Scheme: "http", Host: host, Path: path} }

func keyPair(t *testing.T) (*rsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, certificate
}

// GetServiceProvider reads the metadata of the service.
func (d *dish) GetServiceProvider(*http.Request, string) (*saml.EntityDescriptor, error) {
	answer, err := http.Get(d.service)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	described := &saml.EntityDescriptor{}
	return described, xml.NewDecoder(answer.Body).Decode(described)
}

// GetSession logs everybody in as the same viewer.
func (d *dish) GetSession(http.ResponseWriter, *http.Request, *saml.IdpAuthnRequest) *saml.Session {
	return &saml.Session{
		ID: "1", Index: "session-1", NameID: "ada", NameIDFormat: string(saml.PersistentNameIDFormat),
		CreateTime: time.Now(), ExpireTime: time.Now().Add(time.Hour),
	}
}

// InvalidateSession lets the provider forget its viewer.
func (d *dish) InvalidateSession(http.ResponseWriter, *http.Request, *saml.IdpLogoutRequest) error {
	return nil
}

// send presses the only button of a page of the provider.
func (p *pages) send() {
	p.Helper()
	p.b.Press("Tab")
	p.b.PressAndWait("Enter")
}

// TestASAMLProviderWithoutScripts: a viewer logs in and out at a provider that takes forms, by
// the buttons of the pages that else send themselves.
func TestASAMLProviderWithoutScripts(t *testing.T) {
	b, w := browsertest.Start(t), newFormalWorld(t)
	b.DisableScripts()
	languages := []string{"de"}
	if os.Getenv("SSOD_LONG") != "" {
		languages = []string{"en", "de", "es", "fr"}
	}
	for _, lang := range languages {
		b.Speak(lang)
		p := &pages{T: t, b: b, texts: texts.For([]byte(lang))}
		tv := w.tv()
		p.open(tv)
		p.expect("saml-provider", p.texts.Choose.Only)
		p.press(texts.FillPlain(p.texts.Choose.Continue, "provider", "Dish Two"))
		p.expect("saml-question", p.texts.Question.Title)
		p.press(p.texts.Question.Continue)
		p.expect("saml-passing", texts.FillPlain(p.texts.Passing.Text, "provider", "Dish Two"))
		p.press(p.texts.Passing.Action)
		p.send()
		p.expect("saml-done", p.texts.Done.Title)
		out, err := tv.Logout(t.Context(), "Dish", "")
		if err != nil {
			t.Fatal(err)
		}
		b.Open(out.URL)
		p.expect("saml-leaving", p.texts.Passing.Title)
		p.press(p.texts.Passing.Action)
		p.send()
		p.expect("saml-signed-out", p.texts.SignedOut.Title)
	}
}

// TestASAMLProviderWithScripts: the same without a button to press.
func TestASAMLProviderWithScripts(t *testing.T) {
	b, w := browsertest.Start(t), newFormalWorld(t)
	phone := w.newDevice(client.DeviceOptions{ID: "phone"})
	s, err := phone.CreateSession(t.Context(), client.SessionParameters{MVPD: "Dish", DomainName: "127.0.0.1", RedirectURL: w.back + "/in"})
	if err != nil {
		t.Fatal(err)
	}
	b.Open(s.URL)
	b.AwaitText("Back at the app")
	expectAt(t, b, w.back+"/in")
	out, err := phone.Logout(t.Context(), "Dish", w.back+"/out")
	if err != nil {
		t.Fatal(err)
	}
	b.Open(out.URL)
	b.AwaitText("Back at the app")
	expectAt(t, b, w.back+"/out")
	expectNoComplaints(t, b)
}
