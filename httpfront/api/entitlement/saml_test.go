package entitlement_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"encoding/xml"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crewjam/saml"

	"ssod/httpfront/fronttest"
)

// dish is a TV provider that speaks SAML, by crewjam's implementation of one.
type dish struct {
	*app
	saml.IdentityProvider
}

// startDish starts the provider, and a node that is connected to it.
func startDish(t *testing.T) *dish {
	t.Helper()
	key, certificate := keyPair(t)
	d := &dish{}
	d.Key, d.Certificate = key, certificate
	d.MetadataURL = url.URL{Scheme: "https", Host: "idp.dish.example", Path: "/metadata"}
	d.SSOURL = url.URL{Scheme: "https", Host: "idp.dish.example", Path: "/sso"}
	d.LogoutURL = url.URL{Scheme: "https", Host: "idp.dish.example", Path: "/slo"}
	d.ServiceProviderProvider, d.SessionProvider = d, d
	dir := t.TempDir()
	spKey, spCertificate := keyPair(t)
	metadata, err := xml.Marshal(d.IdentityProvider.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"idp.xml": metadata,
		"sp.key":  pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(spKey)}),
		"sp.crt":  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: spCertificate.Raw}),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.app = start(t, strings.Replace(realms, "    mvpds:\n", "    mvpds:\n      - {id: dish, kind: saml, decision: authenticated, attributes: {zip: zip}, metadataFile: "+
		dir+"/idp.xml, keyFile: "+dir+"/sp.key, certFile: "+dir+"/sp.crt}\n", 1))
	return d
}

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

const dishPath = "/saml/acme/dish/"

// GetServiceProvider reads the metadata that the node publishes.
func (d *dish) GetServiceProvider(_ *http.Request, id string) (*saml.EntityDescriptor, error) {
	if !strings.HasSuffix(id, dishPath+"metadata") {
		return nil, os.ErrNotExist
	}
	var described saml.EntityDescriptor
	err := xml.Unmarshal(d.do(fronttest.Call{Method: "GET", Path: dishPath + "metadata"}).Raw, &described)
	return &described, err
}

// GetSession logs everybody in as the same viewer.
func (d *dish) GetSession(http.ResponseWriter, *http.Request, *saml.IdpAuthnRequest) *saml.Session {
	return &saml.Session{
		ID: "1", Index: "session-1", NameID: "viewer-7", NameIDFormat: string(saml.PersistentNameIDFormat), CreateTime: time.Now(), ExpireTime: time.Now().Add(time.Hour),
		CustomAttributes: []saml.Attribute{{Name: "zip", Values: []saml.AttributeValue{{Type: "xs:string", Value: "12345"}}}},
	}
}

func TestAProviderReadsOurMetadata(t *testing.T) {
	d := startDish(t)
	r := d.do(fronttest.Call{Method: "GET", Path: dishPath + "metadata"})
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "application/samlmetadata+xml" || r.Header.Get("Cache-Control") != "max-age=300" {
		t.Errorf("got %d %v", r.StatusCode, r.Header)
	}
	if _, err := d.GetServiceProvider(nil, "http://127.0.0.1"+dishPath+"metadata"); err != nil {
		t.Error(err)
	}
	for _, path := range []string{"/saml/acme/cable/metadata", "/saml/acme/nobody/metadata", "/saml/nobody/dish/metadata", "/saml/rival/dish/metadata"} {
		if r := d.do(fronttest.Call{Method: "GET", Path: path}); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, r.StatusCode)
		}
	}
}
