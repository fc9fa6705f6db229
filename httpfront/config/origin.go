package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// Origins of packaged apps. A page that was not loaded from a server has the
// origin "null" (RFC 6454, 4), older web views say "file://", and some platforms
// give each app a scheme. They can be listed, but null should be meant: a page of
// any site can give itself that origin. It gains little by that, since answers
// go to whoever has a token, and none is in a cookie.
const (
	opaqueOrigin = "null"
	fileOrigin   = "file://"
)

var appOrigin = regexp.MustCompile(`^[a-z][a-z0-9+.-]{0,63}://([A-Za-z0-9._-]{1,253}(:[1-9][0-9]{0,4})?)?$`)

// Allows reports whether an origin, as a browser sends it, is listed.
func (c *CORS) Allows(origin []byte) bool {
	return slices.Contains(c.Origins, string(origin))
}

// AllowsOrigin reports whether some realm lists an origin: it is asked for what
// belongs to no realm, such as the registration of clients.
func (c *Config) AllowsOrigin(origin []byte) bool {
	if c.origins == nil {
		return (&Config{Realms: c.Realms}).indexed().AllowsOrigin(origin)
	}
	_, listed := c.origins[string(origin)]
	return listed
}

// HasOrigins reports whether any realm lists an origin.
func (c *Config) HasOrigins() bool {
	return slices.ContainsFunc(c.Realms, func(r *Realm) bool { return len(r.CORS.Origins) > 0 })
}

// Origin is what browsers send as the origin of the pages at the public URL.
func (c *Config) Origin() string { return sentOrigin(c.PublicURL) }

// origins checks that each is what a browser sends in Origin: anything else would silently
// never match.
func (k *checker) origins(key string, origins []string) {
	for i, origin := range origins {
		at := fmt.Sprintf("%s[%d]", key, i)
		switch sent := sentOrigin(origin); sent {
		case origin:
		case "":
			k.mistake(at, "%q is not an origin such as https://tv.example.com, without a path or a wildcard, nor that of a packaged app: \"null\", file:// or app://name", clip(origin))
		default:
			k.mistake(at, "%q is not what browsers send as their origin; write %q", clip(origin), clip(sent))
		}
	}
}

// sentOrigin is what a browser sends for a configured origin: the scheme and the host in
// lower case, an international name in its ASCII form, and no default port (RFC 6454, 4
// and 6.2). It is empty when no browser sends anything like it.
func sentOrigin(text string) string {
	u, err := url.Parse(text)
	switch {
	case strings.EqualFold(text, opaqueOrigin):
		return opaqueOrigin
	case err != nil || u.User != nil || u.Opaque != "" || strings.ContainsAny(text, "*%?# "):
		return ""
	case u.Scheme == "file" && u.Host == "":
		return fileOrigin
	case u.Scheme == "http" || u.Scheme == "https":
		return webOrigin(u)
	}
	origin := u.Scheme + "://" + u.Host
	if u.Scheme == "file" || !appOrigin.MatchString(origin) {
		return ""
	}
	return origin
}

// webOrigin is the origin of an http or https URL.
func webOrigin(u *url.URL) string {
	host, port := sentHost(u.Hostname()), u.Port()
	if n, err := strconv.ParseUint(port, 10, 16); err == nil {
		port = strconv.FormatUint(n, 10)
	} else if port != "" {
		return ""
	}
	switch {
	case host == "":
		return ""
	case port == "", u.Scheme == "http" && port == "80", u.Scheme == "https" && port == "443":
		return u.Scheme + "://" + host
	}
	return u.Scheme + "://" + host + ":" + port
}

// hostNames maps names as browsers do, which know more of them than DNS has.
var hostNames = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))

// sentHost is a host as browsers write it.
func sentHost(host string) string {
	if a, err := netip.ParseAddr(host); err == nil && a.Is6() {
		return "[" + a.WithZone("").String() + "]"
	}
	name, err := hostNames.ToASCII(host)
	if err != nil || !webHost.MatchString(name) {
		return ""
	}
	return name
}

var webHost = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_.-]{0,252})$`)
