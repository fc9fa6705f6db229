package mvpd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// called is a connector of which only its health is known.
type called struct {
	Connector
	client       *http.Client
	certificates []Certificate
}

func (c *called) Health() []*Health           { return HealthOf(c.client) }
func (c *called) Certificates() []Certificate { return c.certificates }

func watch(t *testing.T) (*Registry, *called, func(status int, ends time.Time, err error)) {
	t.Helper()
	client, err := NewClient("")
	if err != nil {
		t.Fatal(err)
	}
	c := &called{client: client}
	r := NewRegistry(nil, nil)
	r.current.Store(&table{providers: map[key]*Provider{{"acme", "cable"}: {Connector: c}}})
	q := &http.Request{URL: &url.URL{Scheme: "https", Host: "cable.example"}}
	return r, c, func(status int, ends time.Time, err error) {
		var answer *http.Response
		if err == nil {
			answer = &http.Response{StatusCode: status, TLS: &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{NotAfter: ends}}}}
		}
		c.Health()[0].note(q, answer, err)
	}
}

// TestAProviderThatIsDown: it is told of after five minutes in which every call failed,
// until one is answered, and forgotten when nobody calls it any more.
func TestAProviderThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, call := watch(t)
		good, refused := time.Now().Add(365*24*time.Hour), errors.New("connection refused")
		fail := func(d time.Duration, err error) {
			for range d / (30 * time.Second) {
				call(500, good, err)
				time.Sleep(30 * time.Second) // in the bubble
			}
			call(500, good, err)
		}
		for _, step := range []struct {
			name string
			do   func()
			want []string
		}{
			{"before", func() {}, nil},
			{"one failure", func() { call(0, good, refused); time.Sleep(10 * time.Minute) }, nil},
			{"an answer", func() { call(404, good, nil) }, nil},
			{"four minutes", func() { fail(4*time.Minute, refused) }, nil},
			{"six", func() { fail(2*time.Minute, refused) }, []string{"acme/cable: every call to cable.example has failed for 6m0s (connection refused)"}},
			{"a caller that goes away", func() { call(0, good, context.Canceled) }, []string{"acme/cable: every call to cable.example has failed for 6m0s (connection refused)"}},
			{"an answer again", func() { call(200, good, nil) }, nil},
			{"errors of its own", func() { fail(6*time.Minute, nil) }, []string{"acme/cable: every call to cable.example has failed for 6m0s (it answered 500)"}},
			{"nobody calls", func() { time.Sleep(stale + time.Second) }, nil},
		} {
			step.do()
			if diff := cmp.Diff(step.want, r.Troubles(time.Now())); diff != "" {
				t.Errorf("%s (-want +got):\n%s", step.name, diff)
			}
		}
	})
}

// TestCertificatesThatEnd: a month before, and when they have.
func TestCertificatesThatEnd(t *testing.T) {
	r, c, call := watch(t)
	p, now := r.current.Load().providers[key{"acme", "cable"}], time.Now()
	if left := p.expiries(now)[CertTLS]; !math.IsInf(left, 1) {
		t.Errorf("no certificate is known, and one ends in %v s", left)
	}
	day := 24 * time.Hour
	call(200, now.Add(10*day+time.Hour), nil)
	c.certificates = []Certificate{{CertSigning, now.Add(-day)}, {CertOwn, now.Add(90 * day)}}
	want := []string{
		"acme/cable: the certificate of cable.example expires on " + now.Add(10*day+time.Hour).UTC().Format(time.DateOnly) + ", in 10 days",
		"acme/cable: the last certificate with which it signs expired on " + now.Add(-day).UTC().Format(time.DateOnly),
	}
	if diff := cmp.Diff(want, r.Troubles(now)); diff != "" {
		t.Errorf("troubles (-want +got):\n%s", diff)
	}
	left := p.expiries(now)
	if left[CertTLS] != (10*day+time.Hour).Seconds() || left[CertSigning] != -day.Seconds() || left[CertOwn] != (90*day).Seconds() {
		t.Errorf("they end in %v s", left)
	}
	if all := strings.Join(r.Troubles(now.Add(70*day)), "\n"); !strings.Contains(all, "a certificate of this service there expires on") {
		t.Errorf("later: %s", all)
	}
}
