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

// privateError says that a receiver's name leads to an address that is not for it.
type privateError struct{ netip.Addr }

func (e privateError) Error() string {
	return fmt.Sprintf("%v is a private address, and allowPrivate is not set", e.Addr)
}

// timeout bounds one delivery, and dialTimeout each of its connections.
const (
	timeout     = 10 * time.Second
	dialTimeout = 3 * time.Second
)

var errURL = errors.New("its url cannot be parsed") // nor is it quoted

// client delivers to one receiver. It follows no redirect, uses no proxy, and dials only
// addresses that the receiver may have: a name can be changed to lead inside.
func client(w config.Webhook) (*http.Client, error) {
	roots, err := rootsOf(w.CAFile)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(w.URL)
	if err != nil {
		return nil, errURL
	}
	local := loopback(u.Hostname())
	dialer := &net.Dialer{Timeout: dialTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		return admit(address, w.AllowPrivate, local)
	}}
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			TLSHandshakeTimeout:    dialTimeout,
			MaxIdleConnsPerHost:    perReceiver,
			MaxConnsPerHost:        perReceiver,
			MaxResponseHeaderBytes: answerBytes,
			IdleConnTimeout:        90 * time.Second,
			ForceAttemptHTTP2:      true,
		},
	}, nil
}

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}

// cgnat is between providers and their customers; RFC 6598.
var cgnat = netip.MustParsePrefix("100.64.0.0/10")

// Addresses of IPv6 that stand for one of IPv4, where a translator or a relay is on the way:
// the last 32 bits of NAT64's (RFC 6052, 2.1), and bits 16 to 47 of 6to4's (RFC 3056).
var (
	nat64     = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour = netip.MustParsePrefix("2002::/16")
	// nat64Local is for translators of one network to its own addresses; RFC 8215.
	nat64Local = netip.MustParsePrefix("64:ff9b:1::/48")
)

// reached is the address that packets to another one get to in the end.
func reached(ip netip.Addr) netip.Addr {
	bytes := ip.As16()
	switch {
	case nat64.Contains(ip):
		return netip.AddrFrom4([4]byte(bytes[12:]))
	case sixToFour.Contains(ip):
		return netip.AddrFrom4([4]byte(bytes[2:6]))
	}
	return ip.Unmap()
}

// admit judges an address that is about to be dialed. local: the URL names loopback.
func admit(address string, private, local bool) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := reached(at.Addr())
	switch {
	case ip.IsLoopback():
		if local || private {
			return nil
		}
	case ip.IsUnspecified() || ip.IsMulticast():
	case ip.IsPrivate() || ip.IsLinkLocalUnicast() || cgnat.Contains(ip) || nat64Local.Contains(ip):
		if private {
			return nil
		}
	default:
		return nil
	}
	return privateError{ip}
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
