package saml_test

import (
	"bytes"
	"compress/flate"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/beevik/etree"

	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/mvpd/saml"
)

// fixture is a connector and its provider.
type fixture struct {
	*saml.Connector
	t         testing.TB
	login     mvpd.Login
	config    *config.MVPD
	log       bytes.Buffer
	ahead     time.Duration // of the connector's clock
	provider  *party
	requestID string
}

func file(t testing.TB, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func connect(t testing.TB, change ...func(*config.MVPD)) *fixture {
	t.Helper()
	dir, all := t.TempDir(), parties()
	f := &fixture{
		t: t, provider: all["provider"],
		login: mvpd.Login{Secrets: mvpd.DeriveSecrets([]byte("key"), "STREAM1.code.dish.serial"), ServiceProvider: "Stream One", ServiceProviderID: "STREAM1"},
	}
	f.requestID = "_" + f.login.Nonce
	f.config = &config.MVPD{
		ID: "dish", Kind: saml.Kind, Decision: config.DecisionAuthenticated,
		MetadataFile: file(t, dir, "idp.xml", []byte(metadata(all["provider"], all["provider next"]))),
		KeyFile:      file(t, dir, "sp.key", all["service"].keyPEM()), CertFile: file(t, dir, "sp.crt", all["service"].certPEM()),
		NextKeyFile: file(t, dir, "next.key", all["service next"].keyPEM()), NextCertFile: file(t, dir, "next.crt", all["service next"].certPEM()),
		Attributes: map[string]string{"householdID": "urn:example:household"},
	}
	for _, c := range change {
		c(f.config)
	}
	maker := saml.Maker(saml.Options{Now: func() time.Time { return now.Add(f.ahead) }, Log: slog.New(slog.NewTextHandler(&f.log, nil))})
	c, err := maker(&config.Config{PublicURL: "https://sso.example"}, &config.Realm{ID: "demo"}, f.config)
	if err != nil {
		t.Fatal(err)
	}
	f.Connector = c.(*saml.Connector)
	return f
}

// answer is an honest answer of the provider, with its assertion signed.
func (f *fixture) answer() *etree.Element {
	s := honest(f.requestID)
	return s.response(f.provider.signed(s.assertion.element()))
}

// post brings an answer, and then the browser that began.
func (f *fixture) post(message string) (mvpd.Identity, mvpd.Answer, error) {
	f.t.Helper()
	return f.postForm(url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString([]byte(message))}, "RelayState": {f.login.State}})
}

func (f *fixture) postForm(form url.Values) (mvpd.Identity, mvpd.Answer, error) {
	f.t.Helper()
	a, err := f.Receive(f.t.Context(), form)
	if err != nil {
		return mvpd.Identity{}, a, err
	}
	if a.State != f.login.State {
		f.t.Errorf("the answer is of the login %q, want %q", a.State, f.login.State)
	}
	who, err := f.Complete(f.t.Context(), f.login, a.Values)
	return who, a, err
}

// code is that of a LoginError; "" for another error.
func code(err error) string {
	if e, ok := errors.AsType[*mvpd.LoginError](err); ok {
		return e.Code
	}
	return ""
}

// certificate and sha256WithRSA are those of crypto/x509.
type certificate = x509.Certificate

const sha256WithRSA = x509.SHA256WithRSA

func inflated(t testing.TB, packed string) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(packed)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(data)))
	if err != nil {
		t.Fatal(err)
	}
	return text
}
