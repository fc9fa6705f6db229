package pdp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ssod/httpfront/mvpd"
)

// known is a decision point that notes who asks, and denies.
type known struct {
	*httptest.Server
	mu     sync.Mutex
	tokens []string
	names  []string // of client certificates
}

func (k *known) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tokens = append(k.tokens, r.Header.Get("Authorization"))
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		k.names = append(k.names, r.TLS.PeerCertificates[0].Subject.CommonName)
	}
	w.Header().Set("Connection", "close")
	answer(w, "application/json", `{"decision": false}`)
}

func (k *known) last() (token, name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.tokens) > 0 {
		token = k.tokens[len(k.tokens)-1]
	}
	if len(k.names) > 0 {
		name = k.names[len(k.names)-1]
	}
	return token, name
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestAPointKnowsUsByAToken, which is read again for each question, whatever the protocol. A
// file that cannot be used asks nothing.
func TestAPointKnowsUsByAToken(t *testing.T) {
	for _, key := range []string{"authzURL", "xacmlURL"} {
		k := &known{}
		k.Server = httptest.NewServer(k)
		t.Cleanup(k.Close)
		file := filepath.Join(t.TempDir(), "token")
		p := provider(t, key+`: "`+k.URL+`", authzTokenFile: "`+file+`"`)
		for _, token := range []string{"first.token", "second-token=="} {
			write(t, file, "# of the decision point\n"+token+"\n")
			verdict(t, p)
			if got, _ := k.last(); got != "Bearer "+token {
				t.Errorf("%s: got %q, want the token %q", key, got, token)
			}
		}
		before := len(k.tokens)
		for _, text := range []string{"", "two\nlines", "a blank", "new\x00line"} {
			write(t, file, text)
			p := provider(t, key+`: "`+k.URL+`", authzTokenFile: "`+file+`"`)
			_, err := p.Connector.Decide(t.Context(), mvpd.Question{Subject: "v", Resources: []string{"news"}})
			if err == nil || !strings.Contains(err.Error(), "not one line with a bearer token") || text != "" && strings.Contains(err.Error(), text) {
				t.Errorf("%s with the token %q: %v", key, text, err)
			}
		}
		if len(k.tokens) != before {
			t.Errorf("%s: without a token it is asked", key)
		}
	}
}

// TestAPointKnowsUsByACertificate, which is read again for each connection, and with it by a
// token.
func TestAPointKnowsUsByACertificate(t *testing.T) {
	k := &known{}
	k.Server = httptest.NewUnstartedServer(k)
	k.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	k.Config.ErrorLog = log.New(io.Discard, "", 0)
	k.StartTLS()
	t.Cleanup(k.Close)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write(t, at("ca"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: k.Certificate().Raw})))
	write(t, at("token"), "secret")
	keys := `caFile: "` + at("ca") + `", authzURL: "` + k.URL + `"`
	if got := verdict(t, provider(t, keys)); got != mvpd.Unreadable {
		t.Errorf("without a certificate: got %s", got.Code(false))
	}
	p := provider(t, keys+`, authzTokenFile: "`+at("token")+`", authzCertFile: "`+at("cert")+`", authzKeyFile: "`+at("key")+`"`)
	for _, name := range []string{"first", "second"} {
		cert, key := pair(t, name)
		write(t, at("cert"), cert)
		write(t, at("key"), key)
		if got := verdict(t, p); got != mvpd.Denied {
			t.Errorf("%s: got %s", name, got.Code(false))
		}
		if token, got := k.last(); got != name || token != "Bearer secret" {
			t.Errorf("got %q with %q, want %s", got, token, name)
		}
	}
	cert, _ := pair(t, "of another key")
	write(t, at("cert"), cert)
	if got := verdict(t, p); got != mvpd.Unreadable {
		t.Errorf("a certificate of another key: got %s", got.Code(false))
	}
}

// pair is a certificate with its key, both PEM.
func pair(t *testing.T, name string) (cert, key string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, secret.Public(), secret)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
}
