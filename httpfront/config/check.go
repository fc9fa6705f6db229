package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// maxLifetime bounds every lifetime for which httpfront/docs/limits.md#lifetimes names no
// range, so that a typing mistake does not keep something for ever.
const maxLifetime = 10 * 365 * 24 * time.Hour

var idForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// checker finds what is wrong with the content of a configuration whose form
// is right.
type checker struct {
	*report
	c            *Config
	issuerKeys   func(TrustedIssuer) (warning string, err error)
	platformKeys func(Platform) (warning string, err error)
	samlKeys     func(MVPD) (warning string, err error)
}

// bounds are the range of a lifetime. Above it is a mistake, below it a
// warning, since tests need short lives.
type bounds struct{ min, max time.Duration }

func (k *checker) lifetime(key string, d time.Duration, b bounds) {
	switch {
	case d <= 0:
		k.mistake(key, "%v is not a lifetime; it must be more than 0", d)
	case d > b.max:
		k.mistake(key, "%v is too long; at most %v", d, b.max)
	case d < b.min:
		k.warn(key, "%v is short; at least %v is advised", d, b.min)
	}
}

func (k *checker) between(key string, n, low, high int) {
	if n < low || n > high {
		k.mistake(key, "%d is not between %d and %d", n, low, high)
	}
}

func (k *checker) oneOf(key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		k.mistake(key, "%q is not one of %s", clip(value), strings.Join(allowed, ", "))
	}
}

// text checks a value that must be there and fit in one line.
func (k *checker) text(key, value string) bool {
	switch {
	case strings.TrimSpace(value) == "":
		k.mistake(key, "is missing")
	case len(value) > 1024 || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }):
		k.mistake(key, "is longer than 1024 bytes or has control characters")
	default:
		return true
	}
	return false
}

// id checks a name that becomes a path segment.
func (k *checker) id(key, id string, reserved ...string) {
	switch {
	case id == "":
		k.mistake(key, "is missing")
	case !idForm.MatchString(id):
		k.mistake(key, "%q is not 1 to 64 letters, digits, - and _", clip(id))
	case slices.Contains(reserved, id):
		k.mistake(key, "%q is reserved: it is a word of the API's paths", id)
	}
}

// unique checks that nothing else has the name; seen maps names to the keys
// that took them.
func (k *checker) unique(seen map[string]string, key, name string) {
	if first, ok := seen[name]; ok && name != "" {
		k.mistake(key, "%q is taken by %s in line %d", clip(name), first, k.line(first))
		return
	}
	seen[name] = key
}

// address checks an absolute http or https URL that clients are shown.
func (k *checker) address(key, text string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		k.mistake(key, "is not an http or https URL with a host")
	case u.User != nil:
		k.mistake(key, "must not hold a password")
	}
}

// remote checks a URL that the node itself calls and trusts the answer of.
func (k *checker) remote(key, text string) {
	k.address(key, text)
	u, err := url.Parse(text)
	if err == nil && u.Scheme == "http" && !loopback(u.Hostname()) {
		k.mistake(key, "must be https: whoever is on the way could change the answer")
	}
}

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

func (k *checker) config() {
	c := k.c
	k.text("issuer", c.Issuer)
	k.address("publicURL", c.PublicURL)
	if strings.ContainsAny(c.PublicURL, "?#") {
		k.mistake("publicURL", "must not have a query or a fragment: links are made by appending to it")
	}
	if strings.HasPrefix(c.PublicURL, "http://") && public(c.PublicURL) {
		k.warn("publicURL", "is plain http at a public address: tokens, codes and logins can be read and changed on the way. Use https, with --http-tls-cert or a proxy that ends TLS")
	}
	k.address("helpURL", c.HelpURL)
	k.oneOf("accessToken.algorithm", c.AccessToken.Algorithm, algorithms...)
	k.lifetime("accessToken.ttl", c.AccessToken.TTL, bounds{time.Minute, 7 * 24 * time.Hour})
	k.throttle(c.Throttle)
	k.lifetime("memberRetention", c.MemberRetention, bounds{24 * time.Hour, maxLifetime})
	k.realms()
}

func (k *checker) throttle(t Throttle) {
	if !(t.Rate > 0 && t.Rate <= 1e6) {
		k.mistake("throttle.rate", "%v is not more than 0 and at most 1000000 requests per second", t.Rate)
	}
	if !(t.Burst >= 0 && t.Burst <= 1e6) {
		k.mistake("throttle.burst", "%v is not between 0 and 1000000 requests", t.Burst)
	}
	if !(t.PerAddressConnections >= 0 && t.PerAddressConnections <= 1e6) {
		k.mistake("throttle.perAddressConnections", "%d is not between 0 and 1000000 connections", t.PerAddressConnections)
	}
}

func (k *checker) realms() {
	if len(k.c.Realms) == 0 {
		k.mistake("realms", "is missing: at least one realm is needed")
	}
	ids, providers := map[string]string{}, map[string]string{}
	for i, realm := range k.c.Realms {
		key := fmt.Sprintf("realms[%d]", i)
		k.id(key+".id", realm.ID)
		k.unique(ids, key+".id", realm.ID)
		k.serviceProviders(key+".serviceProviders", realm, providers)
		k.realm(key, realm)
	}
}
