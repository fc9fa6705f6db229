package webhook

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"syscall"
	"time"

	"ssod/httpfront/config"
)

// errPrivate: a receiver's name leads to an address that is not for it.
var errPrivate = errors.New("a private address, and allowPrivate is not set")

// timeout bounds one delivery.
const timeout = 10 * time.Second

// client delivers to one receiver. It follows no redirect, uses no proxy, and dials only
// addresses that the receiver may have: a name can be changed to lead inside.
func client(w config.Webhook) (*http.Client, error) {
	roots, err := rootsOf(w.CAFile)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(w.URL)
	if err != nil {
		return nil, err
	}
	local := loopback(u.Hostname())
	dialer := &net.Dialer{Timeout: 3 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		return admit(address, w.AllowPrivate, local)
	}}
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:         dialer.DialContext,
			TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			TLSHandshakeTimeout: 3 * time.Second,
			MaxIdleConnsPerHost: perReceiver,
			MaxConnsPerHost:     perReceiver,
			IdleConnTimeout:     90 * time.Second,
			ForceAttemptHTTP2:   true,
		},
	}, nil
}

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}

// cgnat is between providers and their customers; RFC 6598.
var cgnat = netip.MustParsePrefix("100.64.0.0/10")

// admit judges an address that is about to be dialed. local: the URL names loopback.
func admit(address string, private, local bool) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := at.Addr().Unmap()
	switch {
	case ip.IsLoopback():
		if local || private {
			return nil
		}
	case ip.IsUnspecified() || ip.IsMulticast():
	case ip.IsPrivate() || ip.IsLinkLocalUnicast() || cgnat.Contains(ip):
		if private {
			return nil
		}
	default:
		return nil
	}
	return fmt.Errorf("%w: %s", errPrivate, ip)
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
