package saml

import (
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"ssod/httpfront/config"
)

// expiresSoon is when a certificate of ours is worth a warning.
const expiresSoon = 30 * 24 * time.Hour

// Check finds the mistakes of a provider that show before it is used: keys, certificates
// and a metadata file that cannot be used. What has expired or soon will is a warning:
// providers differ in whether they mind.
func Check(m config.MVPD) (warning string, err error) {
	return check(m, time.Now())
}

func check(m config.MVPD, now time.Time) (warning string, err error) {
	keys, err := readPairs(keyFiles(&m))
	if err != nil {
		return "", err
	}
	var warnings []string
	for i, p := range keys {
		if text := expiry(p.certificate, now); text != "" {
			warnings = append(warnings, fmt.Sprintf("the certificate in %s %s", keyFiles(&m)[2*i+1], text))
		}
	}
	by, err := signers(m.MetadataCertFile)
	if err != nil {
		return "", err
	}
	for _, c := range by {
		if text := expiry(c, now); text != "" {
			warnings = append(warnings, fmt.Sprintf("a certificate in %s %s", m.MetadataCertFile, text))
		}
	}
	if m.MetadataFile == "" {
		return strings.Join(warnings, "; "), nil
	}
	d, err := readMetadata(&m)
	if err != nil {
		return "", err
	}
	return strings.Join(append(warnings, d.warnings(now)...), "; "), nil
}

// expiry says whether a certificate is no longer good, or not for long.
func expiry(c *x509.Certificate, now time.Time) string {
	switch left := c.NotAfter.Sub(now); {
	case left <= 0:
		return "has expired on " + c.NotAfter.UTC().Format(time.DateOnly)
	case now.Before(c.NotBefore):
		return "is not valid before " + c.NotBefore.UTC().Format(time.DateOnly)
	case left < expiresSoon:
		return "expires on " + c.NotAfter.UTC().Format(time.DateOnly)
	}
	return ""
}

// warnings are what is unwise in a description that can be used.
func (d *description) warnings(now time.Time) (all []string) {
	switch {
	case d.until.IsZero():
	case !now.Before(d.until):
		all = append(all, "the provider's metadata has expired (validUntil): nobody can log in")
	case d.until.Sub(now) < expiresSoon:
		all = append(all, "the provider's metadata expires on "+d.until.UTC().Format(time.DateOnly)+" (validUntil); then nobody can log in")
	}
	for _, c := range d.keys {
		if text := expiry(c, now); text != "" {
			all = append(all, "a certificate of the provider "+text)
		}
	}
	if len(d.slo) == 0 {
		all = append(all, "the provider has no SingleLogoutService over HTTP-Redirect or HTTP-POST: a logout here does not reach it")
	}
	return all
}
