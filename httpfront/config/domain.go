package config

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// A domain of a service provider is a host, or all hosts below one, written
// *.example.com, or an app's own scheme, with or without a host.
const wildcard = "*."

var (
	hostForm   = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)
	schemeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]{0,63}://[^/?#\s]*$`)
	// labels are what may stand in the place of a wildcard, with its dot.
	labels = regexp.MustCompile(`^([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)+$`)
)

// browserSchemes are those that browsers handle themselves: as an app's own scheme they
// would allow redirects to any site.
var browserSchemes = []string{"http", "https", "ws", "wss", "ftp", "file", "blob", "data", "about", "javascript", "vbscript", "view-source", "filesystem"}

// HasHost reports whether a host of a URL belongs to the service provider. Case
// does not matter; an international name is compared in its ASCII form.
func (s *ServiceProvider) HasHost(host string) bool {
	return slices.ContainsFunc(s.Domains, func(domain string) bool { return coversHost(domain, host) })
}

// HasDomain reports whether a name, as an app says where it comes from, is one
// of the service provider's domains: a host of them, or one as it is written in
// the configuration.
func (s *ServiceProvider) HasDomain(name string) bool {
	return s.HasHost(name) || slices.ContainsFunc(s.Domains, func(domain string) bool { return strings.EqualFold(domain, name) })
}

func coversHost(domain, host string) bool {
	base, below := strings.CutPrefix(domain, wildcard)
	at := len(host) - len(base)
	switch {
	case at < 0 || len(host) > 253 || !strings.EqualFold(host[at:], base):
		return false
	case !below:
		return at == 0
	}
	return labels.MatchString(host[:at])
}

// domain checks one domain of a service provider.
func (k *checker) domain(key, domain string) {
	scheme, _, own := strings.Cut(domain, "://")
	base, below := strings.CutPrefix(domain, wildcard)
	switch {
	case own && !schemeForm.MatchString(domain), !own && !hostForm.MatchString(base):
		k.mistake(key, "%q is neither a host name, nor one behind *., nor an app's scheme such as acmetv://", clip(domain))
	case own && slices.Contains(browserSchemes, strings.ToLower(scheme)):
		k.mistake(key, "%q is a scheme of browsers and not of an app; of a site, write the host alone", clip(domain))
	case below && shared(base):
		k.mistake(key, "%q has names of strangers below it; write *. before a domain that is yours", clip(domain))
	}
}

// shared reports whether names below a domain belong to different owners, as in com, co.uk
// or github.io. An address has no names below it.
func shared(domain string) bool {
	domain = strings.ToLower(domain)
	suffix, _ := publicsuffix.PublicSuffix(domain)
	_, err := netip.ParseAddr(domain)
	return suffix == domain || err == nil
}
