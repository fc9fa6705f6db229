package mvpd_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ssod/httpfront/mvpd"
)

const day = 24 * time.Hour

// certified starts a server whose certificate ends after a time, and returns a client
// that trusts it, at that time.
func certified(t *testing.T, left time.Duration) (url string, client *http.Client) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-365 * day), NotAfter: time.Now().Add(left),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	if client, err = mvpd.NewClient(file); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	return s.URL, client
}

// TestCertificatesOfHosts: operators hear of an end before it comes, and what it is when
// it has.
func TestCertificatesOfHosts(t *testing.T) {
	tests := map[string]struct {
		left   time.Duration
		result mvpd.Result
		detail string
	}{
		"good":    {90*day + time.Hour, mvpd.OK, "is good for 90 days"},
		"soon":    {10*day + time.Hour, mvpd.Warn, "in 10 days"},
		"expired": {-day, mvpd.Fail, "expired on " + time.Now().Add(-day).UTC().Format(time.DateOnly)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			url, client := certified(t, tt.left)
			q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
			if err != nil {
				t.Fatal(err)
			}
			r := &mvpd.Report{Now: time.Now()}
			r.Visit(client, q, "page")
			if l := r.Lines[0]; l.Check != "tls" || l.Result != tt.result || !strings.Contains(l.Detail, tt.detail) {
				t.Errorf("got %+v", r.Lines)
			}
		})
	}
}

// TestATestAsksTheDecider, and says what an answer means.
func TestATestAsksTheDecider(t *testing.T) {
	says := func(v mvpd.Verdict) func(mvpd.Question) ([]mvpd.Decision, error) {
		return func(mvpd.Question) ([]mvpd.Decision, error) { return []mvpd.Decision{{Verdict: v}}, nil }
	}
	tests := map[string]struct {
		decide  func(mvpd.Question) ([]mvpd.Decision, error)
		subject string
		result  mvpd.Result
		detail  string
	}{
		"a permit":          {says(mvpd.Permit), "", mvpd.OK, "news: permitted, after "},
		"a deny":            {says(mvpd.Denied), "", mvpd.OK, "news: authorization_denied_by_mvpd, after "},
		"nobody":            {says(mvpd.UnknownIdentity), "", mvpd.OK, "news: identity_not_recognized_by_mvpd"},
		"an unknown viewer": {says(mvpd.UnknownIdentity), "ada", mvpd.Warn, "does not know the viewer"},
		"an unreadable one": {says(mvpd.Unreadable), "", mvpd.Fail, "network_received_error"},
		"no answer":         {func(mvpd.Question) ([]mvpd.Decision, error) { return nil, errors.New("connection refused") }, "", mvpd.Fail, "no decision on news after 0 ms: connection refused"},
		"too few decisions": {func(mvpd.Question) ([]mvpd.Decision, error) { return nil, nil }, "", mvpd.Fail, "the number of decisions"},
		"the question comes": {func(q mvpd.Question) ([]mvpd.Decision, error) {
			return nil, errors.New(q.Subject + " " + q.ServiceProvider)
		}, "ada", mvpd.Fail, "ada ONE"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			made, cfg := 0, parse(t, threeMVPDs)
			ask := &fake{decide: func(_ context.Context, q mvpd.Question) ([]mvpd.Decision, error) { return tt.decide(q) }}
			p := find(t, registry(&made, ask), cfg)
			r := p.Test(t.Context(), mvpd.Probe{ServiceProvider: "ONE", Resource: "news", Subject: tt.subject, Now: time.Now()})
			l := r.Lines[len(r.Lines)-1]
			if l.Check != "decision" || l.Result != tt.result || !strings.Contains(l.Detail, tt.detail) {
				t.Errorf("got %+v, want %s %q", l, tt.result, tt.detail)
			}
			if (l.Advice == "") != (l.Result == mvpd.OK) || r.Failed() != (l.Result == mvpd.Fail) {
				t.Errorf("advice %q, failed %v", l.Advice, r.Failed())
			}
		})
	}
}
