package mvpd

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Watched is a part of a [Connector] that calls a provider.
type Watched interface{ Health() []*Health }

// Certified is a [Connector] whose protocol has certificates of its own.
type Certified interface {
	// Certificates are those that are known now, without those that others have followed
	// already; it asks nobody.
	Certificates() []Certificate
}

// Certificate is one on which logins depend.
type Certificate struct {
	Use      string // CertSigning or CertOwn
	NotAfter time.Time
}

// Uses of certificates.
const (
	CertTLS     = "tls"     // of the hosts of the provider
	CertSigning = "signing" // with which the provider signs
	CertOwn     = "own"     // of this service at the provider
)

// HealthOf is what is seen of the provider by its clients, made by [NewClient], and by parts
// that are [Watched].
func HealthOf(parts ...any) (all []*Health) {
	for _, part := range parts {
		switch p := part.(type) {
		case *http.Client:
			if t, ok := p.Transport.(boundedTransport); ok {
				all = append(all, t.health)
			}
		case Watched:
			all = append(all, p.Health()...)
		}
	}
	return all
}

// Health is what a client has seen of the hosts that it calls, without calls of its own. It
// is safe for concurrent use.
type Health struct {
	mu    sync.Mutex
	hosts map[string]*seen
}

// seen is what is known of a host. Their number is that of the endpoints of a provider.
type seen struct {
	failing, failed time.Time // the first and the last of the calls that failed since one was answered
	last            error
	ends            time.Time // the first end among its certificates; zero: none was seen
}

// maxHosts bounds the hosts of a provider that are watched.
const maxHosts = 16

func newHealth() *Health { return &Health{hosts: map[string]*seen{}} }

// note notes how a call ended. A caller that went away says nothing about the host.
func (h *Health) note(r *http.Request, answer *http.Response, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	if err == nil && answer.StatusCode >= http.StatusInternalServerError {
		err = fmt.Errorf("it answered %d", answer.StatusCode)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	at := h.hosts[r.URL.Host]
	if at == nil {
		if len(h.hosts) >= maxHosts {
			return
		}
		at = &seen{}
		h.hosts[r.URL.Host] = at
	}
	if answer != nil && answer.TLS != nil && len(answer.TLS.PeerCertificates) > 0 {
		first := slices.MinFunc(answer.TLS.PeerCertificates, func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
		at.ends = first.NotAfter
	}
	now := time.Now()
	switch {
	case err == nil:
		at.failing, at.last = time.Time{}, nil
	case at.failing.IsZero():
		at.failing, at.failed, at.last = now, now, err
	default:
		at.failed, at.last = now, err
	}
}

// stale is after how long without a call nothing is said of a host any more.
const stale = 15 * time.Minute

// unreachableFor is for how long every call to the host has failed; zero: it answers, or
// nobody has called it for long.
func (h *seen) unreachableFor(now time.Time) time.Duration {
	if h.failing.IsZero() || now.Sub(h.failed) > stale {
		return 0
	}
	return h.failed.Sub(h.failing)
}

// each calls f with what is known of each host, in order of name.
func (h *Health) each(f func(name string, at seen)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(h.hosts)) {
		f(name, *h.hosts[name])
	}
}

// unreachable is when a provider is worth a condition, and expiresWithin a certificate.
const (
	unreachable   = 5 * time.Minute
	expiresWithin = warnDays * 24 * time.Hour
)

// Troubles are what operators should do something about, one text for each: hosts that do
// not answer, certificates that end.
func (r *Registry) Troubles(now time.Time) (all []string) {
	providers := r.current.Load().providers
	for _, at := range slices.SortedFunc(maps.Keys(providers), key.compare) {
		for _, trouble := range providers[at].troublesAt(now) {
			all = append(all, at.realm+"/"+at.mvpd+": "+trouble)
		}
	}
	return all
}

func (p *Provider) troublesAt(now time.Time) (all []string) {
	end := func(what string, notAfter time.Time) {
		if text := ending(what, notAfter, now); text != "" {
			all = append(all, text)
		}
	}
	for _, h := range HealthOf(p.Connector) {
		h.each(func(host string, at seen) {
			if silent := at.unreachableFor(now); silent > unreachable {
				all = append(all, fmt.Sprintf("every call to %s has failed for %v (%s)", host, silent.Round(time.Second), line(at.last.Error())))
			}
			end("the certificate of "+host, at.ends)
		})
	}
	for _, c := range certificatesOf(p) {
		if c.Use == CertOwn {
			end("a certificate of this service there", c.NotAfter)
		} else {
			end("the last certificate with which it signs", c.NotAfter)
		}
	}
	return all
}

// ending is a text about a certificate that ends soon, or has ended.
func ending(what string, notAfter, now time.Time) string {
	switch left := notAfter.Sub(now); {
	case notAfter.IsZero() || left > expiresWithin:
		return ""
	case left <= 0:
		return what + " expired on " + notAfter.UTC().Format(time.DateOnly)
	default:
		return fmt.Sprintf("%s expires on %s, in %d days", what, notAfter.UTC().Format(time.DateOnly), left/(24*time.Hour))
	}
}

func certificatesOf(p *Provider) []Certificate {
	if c, ok := p.Connector.(Certified); ok {
		return c.Certificates()
	}
	return nil
}

func (k key) compare(other key) int {
	return cmp.Or(cmp.Compare(k.realm, other.realm), cmp.Compare(k.mvpd, other.mvpd))
}

// expiries are in how many seconds the first certificate of each use ends; infinite: none
// is known, or all are good for ever.
func (p *Provider) expiries(now time.Time) map[string]float64 {
	all := map[string]float64{CertTLS: math.Inf(1)}
	note := func(use string, notAfter time.Time) {
		known, ok := all[use]
		if left := notAfter.Sub(now).Seconds(); !notAfter.IsZero() && (!ok || left < known) {
			all[use] = left
		}
	}
	for _, h := range HealthOf(p.Connector) {
		h.each(func(_ string, at seen) { note(CertTLS, at.ends) })
	}
	for _, c := range certificatesOf(p) {
		note(c.Use, c.NotAfter)
	}
	return all
}

// silence is for how long every call to one of the provider's hosts has failed, at most.
func (p *Provider) silence(now time.Time) (longest time.Duration) {
	for _, h := range HealthOf(p.Connector) {
		h.each(func(_ string, at seen) { longest = max(longest, at.unreachableFor(now)) })
	}
	return longest
}
