package e2e

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"ssod/httpfront/client"
)

// TestNoSecretOfAProviderIsWritten plays what TV providers, decision points and receivers of
// events have secrets for, good and bad, at log level debug, and looks for each of them where
// none may be: the log, the metrics, the answers of the admin API, the goroutines, and the
// file of a backup.
func TestNoSecretOfAProviderIsWritten(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"cable.secret": "shared-with-the-TV-provider", "wrong.secret": "a-wrong-secret-of-the-client", "pdp.token": "token-of-the-decision-point",
		"wrong.token": "a-wrong-token-for-the-decision-point", "events.secret": "whsec_" + base64.StdEncoding.EncodeToString([]byte("a secret of thirty-two bytes ...")),
		"passphrase": "of-the-backup-a-passphrase", "dish.xml": metadataOfDish(t),
	}
	dir := t.TempDir()
	for name, text := range files {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	issuer := startOpenIDProvider(t, files["cable.secret"])
	point, permits := pickyPoint(t, files["pdp.token"])
	hooks := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }))
	t.Cleanup(hooks.Close)
	dish := newKeyPair(t, "dish")
	n := startNode(t, strings.ReplaceAll(`
publicURL: `+publicURL+`
throttle: {enabled: false}
realms:
  - id: acme
    serviceProviders: [{id: tv, domains: [app.example]}]
    webhooks: [{url: "`+hooks.URL+`/secret-path-of-the-receiver?key=secret-key-of-the-receiver", secretFile: DIR/events.secret}]
    mvpds:
      - {id: cable, kind: oidc, issuer: "`+issuer+`", clientId: ssod, clientSecretFile: DIR/cable.secret, scopes: [address, offline_access],
         attributes: {zip: address.postal_code}, authzURL: "`+point+`", authzTokenFile: DIR/pdp.token}
      - {id: wrong, kind: oidc, issuer: "`+issuer+`", clientId: ssod, clientSecretFile: DIR/wrong.secret, authzURL: "`+point+`", authzTokenFile: DIR/wrong.token}
      - {id: dish, kind: saml, metadataFile: DIR/dish.xml, keyFile: "`+dish.key+`", certFile: "`+dish.certificate+`", decision: authenticated}
`, "DIR", dir), "--log-level", "debug")
	s := &secrets{app: &app{node: n}, marked: map[string]string{"secret-path-of-the-receiver": "path of a receiver", "secret-key-of-the-receiver": "key of a receiver"}}
	delete(files, "dish.xml")
	for name, text := range files {
		s.mark(name, strings.TrimPrefix(text, "whsec_"))
	}
	s.mark("key of a SAML provider", innerLine(t, dish.key))

	phone := newOpenIDApp(t, n)
	for mvpd, end := range map[string]string{"cable": "https://app.example/in", "wrong": "https://app.example/in?error=server_error"} {
		session, err := phone.CreateSession(t.Context(), client.SessionParameters{MVPD: mvpd, DomainName: "app.example", RedirectURL: "https://app.example/in"})
		must(t, err)
		s.mark("code at "+mvpd, session.Code)
		if at := newOpenIDBrowser(t, n).logIn(session.URL, "marked-viewer-4717"); at != end {
			t.Errorf("the login at %s ends at %s, want %s", mvpd, at, end)
		}
	}
	if decisions, err := phone.Authorize(t.Context(), "cable", "news"); err != nil || !decisions[0].Authorized || permits.Load() == 0 {
		t.Errorf("the decision point does not get its token: %+v, %v", decisions, err)
	}
	var tokens []string
	must(t, json.Unmarshal(fetch(t, http.MethodGet, issuer+"/test/tokens", nil), &tokens))
	if len(tokens) < 4 {
		t.Fatalf("the provider gave %d tokens", len(tokens))
	}
	for i, token := range tokens {
		s.mark(fmt.Sprintf("token %d of the provider", i), token)
	}
	until(t, "the receiver is tried", func() bool {
		_, said := n.Page("/admin/v1/events")
		return strings.Contains(said, "answered 500")
	})

	leaks := 0
	for _, mvpd := range []string{"cable", "wrong", "dish"} {
		_, said, err := n.Ask(http.MethodPost, "/admin/v1/providers/acme/"+mvpd+"/test", struct{}{})
		must(t, err)
		leaks += s.search("the test of "+mvpd, said)
	}
	for _, page := range []string{"/admin/v1/events", "/admin/v1/status", "/admin/v1/degradation", "/admin/v1/keys", "/readyz", "/metrics"} {
		_, said := n.Page(page)
		leaks += s.search(page, said)
	}
	backup := filepath.Join(dir, "backup")
	said, err := n.Ctl("backup", backup, "--passphrase-file", filepath.Join(dir, "passphrase"))
	must(t, err)
	sealed, err := os.ReadFile(backup)
	must(t, err)
	goroutines := n.goroutines()
	n.stop() // the log is complete now
	leaks += s.search("what ssoctl says", said) + s.search("the backup", string(sealed)) + s.search("the goroutines", goroutines) + s.search("the log", n.Logged())
	t.Logf("secrets: marked=%d log_bytes=%d secret_leaks=%d", len(s.marked), len(n.Logged()), leaks)
}

// pickyPoint is a decision point that permits whoever has its token, and counts how often.
func pickyPoint(t *testing.T, token string) (address string, permits *atomic.Int64) {
	permits = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			http.Error(w, "not with "+r.Header.Get("Authorization"), http.StatusUnauthorized)
			return
		}
		permits.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"decision": true}`))
	}))
	t.Cleanup(s.Close)
	return s.URL, permits
}

// innerLine is a line of a key in PEM.
func innerLine(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	if block, _ := pem.Decode(text); block == nil {
		t.Fatalf("%s is no PEM", file)
	}
	return strings.Split(string(text), "\n")[3]
}

// metadataOfDish is of a provider at which nobody logs in.
func metadataOfDish(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(newKeyPair(t, "provider").certificate)
	must(t, err)
	block, _ := pem.Decode(text)
	return `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://dish.example">` +
		`<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing">` +
		`<KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>` + base64.StdEncoding.EncodeToString(block.Bytes) + `</X509Certificate></X509Data></KeyInfo></KeyDescriptor>` +
		`<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="http://127.0.0.1:1/sso"/></IDPSSODescriptor></EntityDescriptor>`
}
