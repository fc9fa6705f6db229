package oidc_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
)

// TestFaultsOfProviders is what becomes of a login at a provider that has a fault from the
// start, when nothing is known of it, and at one that has it later, when its discovery
// document and its keys have been read. A login ends at the app's redirect URL: with the
// code as error, or without one; cmd/ssod/docs/operating.md#faults-of-openid-providers.
func TestFaultsOfProviders(t *testing.T) {
	const (
		loggedIn    = ""
		unavailable = mvpd.TemporarilyUnavailable
		server      = mvpd.ServerError
	)
	tests := []struct {
		name         string
		start, later string // error codes
		says         string // to operators, among other words; of the first login that fails
		change       func(f *fixture)
	}{
		{"down", unavailable, unavailable, "503", func(f *fixture) { f.down = true }},
		{"gone", unavailable, unavailable, "connection refused", func(f *fixture) { f.CloseClientConnections(); f.Listener.Close() }},
		{"expired certificate", unavailable, unavailable, "certificate has expired", func(f *fixture) { f.expire() }},
		{"garbage for discovery", unavailable, loggedIn, "discovery", func(f *fixture) { f.answers[discoveryPath] = garbage }},
		{"garbage for tokens", unavailable, unavailable, "token endpoint", func(f *fixture) { f.answers["/token"] = garbage }},
		{"garbage for userinfo", server, server, "userinfo", func(f *fixture) { f.answers["/userinfo"] = garbage }},
		{"garbage for keys", server, loggedIn, "ID token", func(f *fixture) { f.answers["/keys"] = garbage }},
		{"500 of the token endpoint", unavailable, unavailable, "token endpoint: 500", func(f *fixture) { f.answers["/token"] = failing }},
		{"500 of the userinfo endpoint", server, server, "userinfo: answered 500", func(f *fixture) { f.answers["/userinfo"] = failing }},
		{"slow discovery", unavailable, loggedIn, "discovery", func(f *fixture) { f.slow = discoveryPath }},
		{"slow tokens", loggedIn, loggedIn, "", func(f *fixture) { f.slow = "/token" }},
		{"slow userinfo", loggedIn, loggedIn, "", func(f *fixture) { f.slow = "/userinfo" }},
		{"slow keys", loggedIn, loggedIn, "", func(f *fixture) { f.slow = "/keys" }},
		{"keys that rotate", loggedIn, loggedIn, "", func(f *fixture) { f.rotate("second") }},
		{"a clock that is 4 minutes behind", loggedIn, loggedIn, "", func(f *fixture) { f.clock(-4 * time.Minute) }},
		{"a clock that is 10 minutes behind", server, server, "expired", func(f *fixture) { f.clock(-10 * time.Minute) }},
		{"a clock that is 4 minutes ahead", loggedIn, loggedIn, "", func(f *fixture) { f.clock(4 * time.Minute); f.claims["nbf"] = f.claims["iat"] }},
		{"a clock that is 10 minutes ahead", server, server, "not before", func(f *fixture) { f.clock(10 * time.Minute); f.claims["nbf"] = f.claims["iat"] }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for when, want := range map[string]string{"from the start": tt.start, "later": tt.later} {
				t.Run(when, func(t *testing.T) {
					t.Parallel()
					f := faulty(t)
					if when == "later" {
						if _, err := f.logIn(); err != nil {
							t.Fatal(err)
						}
					}
					f.change(func() { tt.change(f) })
					_, err := f.logIn()
					got := loggedIn
					if err != nil {
						got = codeOf(err)
					}
					if got != want {
						t.Fatalf("got %q (%v), want %q", got, err, want)
					}
					if err != nil && !strings.Contains(err.Error(), tt.says) {
						t.Errorf("operators read %v, without %q", err, tt.says)
					}
				})
			}
		})
	}
}

const discoveryPath = "/.well-known/openid-configuration"

var (
	garbage = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("\x00\xff<html>" + strings.Repeat("garbage ", 1000)))
	})
	failing = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "oops", http.StatusInternalServerError) })
)

// faulty is a connector of a provider over TLS whose userinfo endpoint is needed.
func faulty(t *testing.T) *fixture {
	t.Helper()
	o, roots := startTLS(t)
	f := connectTo(t, o, func(m *config.MVPD) { m.CAFile, m.Attributes = roots, map[string]string{"plan": "plan"} })
	f.userinfo = map[string]any{"sub": "viewer-1", "plan": "basic"}
	return f
}

// clock sets the provider's clock, as its ID tokens show it.
func (o *op) clock(ahead time.Duration) {
	now := time.Now().Add(ahead)
	o.claims["iat"], o.claims["exp"] = now.Unix(), now.Add(5*time.Minute).Unix()
}

// startTLS starts a provider over TLS. Its certificate is its own authority, in the file.
func startTLS(t *testing.T) (o *op, file string) {
	t.Helper()
	o = newOP(t)
	good, expired := certificate(t, time.Hour), certificate(t, -time.Minute)
	var current atomic.Pointer[tls.Certificate]
	current.Store(good)
	o.expire = func() { current.Store(expired) }
	o.Server = httptest.NewUnstartedServer(o)
	o.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return &tls.Config{Certificates: []tls.Certificate{*current.Load()}}, nil
	}}
	o.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that fail
	o.StartTLS()
	o.settle()
	file = filepath.Join(t.TempDir(), "roots.pem")
	var roots []byte
	for _, c := range []*tls.Certificate{good, expired} {
		roots = append(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})...)
	}
	if err := os.WriteFile(file, roots, 0o600); err != nil {
		t.Fatal(err)
	}
	return o, file
}

// certificate is one for loopback that is good for so long from now.
func certificate(t *testing.T, left time.Duration) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(left),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
