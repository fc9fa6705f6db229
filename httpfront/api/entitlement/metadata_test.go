package entitlement_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// certificate writes that of a service provider, and returns its path and key.
func certificate(t *testing.T) (path string, key *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "sp.crt")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, key
}

// attributes are those of the profile that a device finds at cable.
func (a *app) attributes(device string, header ...string) map[string]any {
	a.Helper()
	r := a.do(a.call("GET", "profiles/cable", device, header...))
	profile, ok := r.JSON["profiles"].(map[string]any)["cable"].(map[string]any)
	if !ok {
		a.Fatalf("no profile: %d %s", r.StatusCode, r.Raw)
	}
	return profile["attributes"].(map[string]any)
}

// TestEncryptedAttributes: what the MVPD wants encrypted is a text that only the service
// provider opens; without a certificate the app gets an error and no attribute.
func TestEncryptedAttributes(t *testing.T) {
	path, key := certificate(t)
	config := strings.Replace(realms, `kind: sandbox, logoUrl`, `kind: sandbox, encrypted: [maxRating, zip], logoUrl`, 1)
	config = strings.Replace(config, `{id: STREAM1, `, `{id: STREAM1, metadataCertFile: "`+path+`", `, 1)
	a := start(t, config)
	a.logIn("phone", "cable", "ada")
	attributes := a.attributes("phone")
	a.same("userID", attributes["userID"], map[string]any{"value": "sandbox-ada", "state": "plain"})
	rating := attributes["maxRating"].(map[string]any)
	text, _ := rating["value"].(string)
	object, err := jose.ParseEncryptedCompact(text, []jose.KeyAlgorithm{jose.RSA_OAEP_256}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil || rating["state"] != "enc" {
		t.Fatalf("got %v: %v", rating, err)
	}
	if value, err := object.Decrypt(key); err != nil || !strings.Contains(string(value), `"MPAA"`) {
		t.Errorf("opened: %s, %v", value, err)
	}

	other := a.at("STREAM2")
	other.logIn("phone", "cable", "ada")
	r := other.do(other.call("GET", "profiles", "phone"))
	a.same("no certificate", []any{r.StatusCode, r.Text("code"), r.Text("action")}, []any{500, "invalid_configuration_user_metadata_certificate", "configuration"})
}

// TestAnSSOProfileNamesItsProvider: the device's own does not.
func TestAnSSOProfileNamesItsProvider(t *testing.T) {
	a := start(t, realms)
	phone, tv := a.mint("phone", "viewer"), a.mint("tv", "viewer")
	a.logIn("phone", "cable", "ada", "AD-Service-Token", phone)
	a.same("of its own", a.attributes("phone")["mvpd"], nil)
	a.same("shared", a.attributes("tv", "AD-Service-Token", tv)["mvpd"], map[string]any{"value": "cable", "state": "plain"})
}
