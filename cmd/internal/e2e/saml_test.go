package e2e

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ssod/httpfront/client"
	"ssod/httpfront/fronttest/browsertest"
)

// TestASAMLProvider logs viewers in and out at samlify, a foreign implementation in a
// process of its own: a logout that begins here, and one that begins there. It encrypts
// its assertions.
func TestASAMLProvider(t *testing.T) {
	t.Parallel()
	theirs, ours := newKeyPair(t, "provider"), newKeyPair(t, "service")
	provider := startPeer(t, "samlify", "ENCRYPT=yes", "KEY="+theirs.key, "CERTIFICATE="+theirs.certificate)
	n := startNode(t, `
publicURL: `+publicURL+`
throttle: {enabled: false}
realms:
  - id: acme
    serviceProviders: [{id: tv, displayName: Stream One, domains: [app.example]}]
    mvpds:
      - id: dish
        kind: saml
        metadataURL: `+provider+`/metadata
        keyFile: `+ours.key+`
        certFile: `+ours.certificate+`
        attributes: {householdID: "urn:example:household"}
        decision: authenticated
    partners: [{name: Apple, providers: {DishOne: dish}}]
`)
	introduce(t, n, provider, "acme/dish")
	phone := newOpenIDApp(t, n)
	b := newOpenIDBrowser(t, n)

	logIn := func(viewer string) {
		t.Helper()
		session, err := phone.CreateSession(t.Context(), client.SessionParameters{MVPD: "dish", DomainName: "app.example", RedirectURL: "https://app.example/in"})
		must(t, err)
		b.open(session.URL)
		b.submit(url.Values{"login": {viewer}})
		b.submit(url.Values{}) // what a script does where there is one
		if b.at != "https://app.example/in" {
			t.Fatalf("the login ends at %s: %s", b.at, b.page)
		}
		profiles, err := phone.ProfileByCode(t.Context(), session.Code)
		must(t, err)
		got := profiles["dish"]
		if string(got.Attributes["userID"].Value) != `"`+viewer+`"` || string(got.Attributes["householdID"].Value) != `"`+viewer+`'s house"` {
			t.Errorf("the profile is %+v", got)
		}
	}
	logIn("viewer-1")
	decisions, err := phone.Authorize(t.Context(), "dish", "news")
	must(t, err)
	if !decisions[0].Authorized {
		t.Errorf("news: %+v", decisions[0])
	}

	out, err := phone.Logout(t.Context(), "dish", "https://app.example/out")
	must(t, err)
	b.open(out.URL)
	if b.at != "https://app.example/out" {
		t.Errorf("the logout ends at %s: %s", b.at, b.page)
	}
	mustBeSignedOut(t, phone)

	logIn("viewer-2")
	b.take(b.Get(provider + "/sign-out?name=viewer-2"))
	if b.page != "signed out everywhere" {
		t.Errorf("the provider's logout ends at %s: %s", b.at, b.page)
	}
	mustBeSignedOut(t, phone)

	playPartner(t, n, provider)

	// A real browser leaves the cookie out of the provider's POST.
	playSecondScreen(t, n, phone, "dish", func(b *browsertest.Browser) {
		b.Focus("[name=login]")
		b.Type("viewer-2")
		b.PressAndWait("Enter")
	})
	for _, absent := range []string{"viewer-1", "viewer-2", "viewer-3", "did not log a viewer out"} {
		if strings.Contains(n.Logged(), absent) {
			t.Errorf("%q is in the log", absent)
		}
	}
}

// playPartner logs a device in twice through the framework of its maker, which carries the
// request and the answer; the provider refuses a request that it has seen before.
func playPartner(t *testing.T, n *node, provider string) {
	t.Helper()
	c, credentials := registerOpenIDApp(t, n)
	status := base64.StdEncoding.EncodeToString(fmt.Appendf(nil,
		`{"frameworkPermissionInfo":{"accessStatus":"granted"},"frameworkProviderInfo":{"id":"DishOne","expirationDate":"%d"}}`, time.Now().Add(time.Hour).UnixMilli()))
	tv := c.WithCredentials(credentials).Device(client.DeviceOptions{ID: "apple tv", Header: http.Header{"AP-Partner-Framework-Status": {status}}})
	ask := func() string {
		t.Helper()
		s, err := tv.CreatePartnerSession(t.Context(), "Apple", client.SessionParameters{DomainName: "app.example", RedirectURL: "https://app.example/in"})
		must(t, err)
		if s.Action != client.ActionPartner || s.AuthenticationRequest == nil {
			t.Fatalf("the partner is not asked: %+v", s)
		}
		return string(fetch(t, http.MethodPost, provider+"/framework?name=viewer-3", []byte(s.AuthenticationRequest.Request)))
	}
	for _, answer := range []string{ask(), ask()} {
		profiles, err := tv.PartnerProfile(t.Context(), "Apple", answer)
		must(t, err)
		if got := profiles["dish"]; got.Type != "appleSSO" || string(got.Attributes["userID"].Value) != `"viewer-3"` || string(got.Attributes["householdID"].Value) != `"viewer-3's house"` {
			t.Errorf("the profile is %+v", got)
		}
		if _, err := tv.PartnerProfile(t.Context(), "Apple", answer); err == nil {
			t.Error("the answer counts a second time")
		}
	}
}

func mustBeSignedOut(t *testing.T, d *client.Device) {
	t.Helper()
	if profiles, err := d.Profiles(t.Context()); err != nil || len(profiles) > 0 {
		t.Errorf("after the logout: %+v, %v", profiles, err)
	}
}

// introduce gives a provider the service's metadata for a realm and MVPD.
func introduce(t *testing.T, n *node, provider, name string) {
	t.Helper()
	metadata := fetch(t, http.MethodGet, "http://"+n.at().HTTP+"/saml/"+name+"/metadata", nil)
	fetch(t, http.MethodPut, provider+"/service", metadata)
}

// fetch makes a request that must be answered with 200, and returns the body.
func fetch(t *testing.T, method, address string, body []byte) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, bytes.NewReader(body))
	must(t, err)
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	must(t, err)
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s answered %d: %s", method, address, answer.StatusCode, said)
	}
	return said
}

// keyPair is a pair of PEM files.
type keyPair struct{ key, certificate string }

func newKeyPair(t *testing.T, name string) keyPair {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	dir := t.TempDir()
	p := keyPair{filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem")}
	must(t, os.WriteFile(p.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	must(t, os.WriteFile(p.certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}), 0o600))
	return p
}
