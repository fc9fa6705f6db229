package mvpd

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"time"
)

// maxAnswer is the most that is read of a provider's answer, in bytes. Discovery
// documents and key sets are a few KiB.
const maxAnswer = 256 << 10

// NewClient returns a client for the endpoints of one provider. It trusts the
// certificate authorities of caFile, a PEM file, or the system's when that is
// empty; follows no redirect, since a token or a question is for the configured
// endpoint only; and reads at most 256 KiB of an answer.
func NewClient(caFile string) (*http.Client, error) {
	roots, err := rootsOf(caFile)
	if err != nil {
		return nil, err
	}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: boundedTransport{&http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
			TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			TLSHandshakeTimeout:   3 * time.Second,
			ResponseHeaderTimeout: 10 * time.Second,
			MaxIdleConnsPerHost:   32,
			MaxConnsPerHost:       maxQuestions,
			IdleConnTimeout:       90 * time.Second,
			ForceAttemptHTTP2:     true,
		}, newHealth()},
	}, nil
}

// WithoutReuse returns a client like one of [NewClient] that uses each connection once. A
// request on an old connection may fail after it was sent, with nothing to tell whether the
// provider has it; and some requests must not be sent twice.
func WithoutReuse(c *http.Client) *http.Client {
	once := *c
	before := c.Transport.(boundedTransport)
	transport := before.Clone()
	transport.DisableKeepAlives = true
	once.Transport = boundedTransport{transport, before.health}
	return &once
}

// WithCertificate returns a client like one of [NewClient] that shows a certificate to hosts
// that ask for one; get says which, for each connection.
func WithCertificate(c *http.Client, get func() (tls.Certificate, error)) *http.Client {
	known := *c
	before := c.Transport.(boundedTransport)
	transport := before.Clone()
	transport.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		pair, err := get()
		return &pair, err
	}
	known.Transport = boundedTransport{transport, before.health}
	return &known
}

func rootsOf(caFile string) (*x509.CertPool, error) {
	if caFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no certificate", caFile)
	}
	return roots, nil
}

// boundedTransport cuts answers that are too long, and notes how calls end.
type boundedTransport struct {
	*http.Transport
	health *Health
}

func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.Transport.RoundTrip(r)
	t.health.note(r, response, err)
	if err == nil {
		response.Body = bounded{io.LimitReader(response.Body, maxAnswer), response.Body}
	}
	return response, err
}

type bounded struct {
	io.Reader
	io.Closer
}

// Trustworthy reports whether an answer from a URL is the provider's own: it is
// https, or a loopback address.
func Trustworthy(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	address, err := netip.ParseAddr(u.Hostname())
	local := u.Hostname() == "localhost" || err == nil && address.IsLoopback()
	return u.Scheme == "https" || u.Scheme == "http" && local
}
