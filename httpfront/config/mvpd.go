package config

import (
	"fmt"
	"net/url"
	"strings"
	"time"
)

func (k *checker) mvpds(key string, r *Realm) {
	seen := map[string]string{}
	for i, m := range r.MVPDs {
		at := fmt.Sprintf("%s[%d]", key, i)
		k.id(at+".id", m.ID, reservedMVPDs...)
		k.unique(seen, at+".id", m.ID)
		if m.ID != "" {
			k.text(at+".displayName", m.DisplayName)
		}
		if m.LogoURL != "" {
			k.logo(at+".logoUrl", m.LogoURL)
		}
		k.oneOf(at+".kind", m.Kind, "sandbox", "oidc", "temppass")
		k.lifetime(at+".authnTTL", m.AuthnTTL, bounds{time.Minute, maxLifetime})
		k.lifetime(at+".unknownTTL", m.UnknownTTL, bounds{time.Minute, maxLifetime})
		k.lifetime(at+".authzTTL", m.AuthzTTL, bounds{time.Minute, maxLifetime})
		for j, id := range m.DisabledFor {
			k.provider(fmt.Sprintf("%s.disabledFor[%d]", at, j), r, id)
		}
		k.mvpdKind(at, m)
		if m.Kind == "temppass" {
			k.warn(at, "has no effect: this version has no temporary passes")
		}
	}
}

// mvpdKind checks the keys that belong to one kind of TV provider only.
func (k *checker) mvpdKind(key string, m MVPD) {
	k.only(key+".issuer", m.Kind, "oidc", m.Issuer != "")
	k.only(key+".clientId", m.Kind, "oidc", m.ClientID != "")
	k.only(key+".clientSecretFile", m.Kind, "oidc", m.ClientSecretFile != "")
	k.only(key+".scopes", m.Kind, "oidc", len(m.Scopes) > 0)
	k.only(key+".attributes", m.Kind, "oidc", len(m.Attributes) > 0)
	k.only(key+".caFile", m.Kind, "oidc", m.CAFile != "")
	k.only(key+".authzURL", m.Kind, "oidc", m.AuthzURL != "")
	k.only(key+".ttl", m.Kind, "temppass", m.TTL != 0)
	k.only(key+".maxResources", m.Kind, "temppass", m.MaxResources != 0)
	k.only(key+".logoutEndpoint", m.Kind, "sandbox", !m.LogoutEndpoint)
	switch m.Kind {
	case "sandbox":
		k.sandbox(key, m)
	case "oidc":
		k.oidc(key, m)
	case "temppass":
		k.lifetime(key+".ttl", m.TTL, bounds{time.Minute, maxLifetime})
		k.between(key+".maxResources", m.MaxResources, 0, 1_000_000)
	}
}

// logo checks the address of a picture that apps load. Web players are pages
// under https, which do not load it from elsewhere.
func (k *checker) logo(key, text string) {
	k.address(key, text)
	if u, err := url.Parse(text); err == nil && u.Scheme == "http" && !loopback(u.Hostname()) {
		k.warn(key, "is not https: web players do not show it")
	}
}

// only reports a key that is set although the kind does not have it.
func (k *checker) only(key, kind, owner string, set bool) {
	if set && kind != owner {
		k.mistake(key, "is a key of kind %s", owner)
	}
}

// sandbox refuses a TV provider without passwords at a public address.
func (k *checker) sandbox(key string, m MVPD) {
	if !m.AllowPublic && public(k.c.PublicURL) {
		k.mistake(key+".allowPublic", "kind sandbox lets everybody in and publicURL is a public address; set allowPublic: true if that is meant")
	}
}

// oidc checks a provider that is reached over OpenID Connect.
func (k *checker) oidc(key string, m MVPD) {
	k.remote(key+".issuer", m.Issuer)
	k.text(key+".clientId", m.ClientID)
	k.oneOf(key+".decision", m.Decision, DecisionPDP, DecisionAuthenticated)
	switch {
	case m.AuthzURL != "" && m.Decision == DecisionAuthenticated:
		k.mistake(key+".authzURL", "is not asked with decision: authenticated")
	case m.AuthzURL != "":
		k.remote(key+".authzURL", m.AuthzURL)
	case m.Decision == DecisionPDP:
		k.warn(key, "nobody decides what viewers may watch, so they watch nothing: set authzURL, or decision: authenticated, which lets them watch everything")
	}
	for i, scope := range m.Scopes {
		if strings.Trim(scope, scopeCharacters) != "" || scope == "" {
			k.mistake(fmt.Sprintf("%s.scopes[%d]", key, i), "%q is no scope", clip(scope))
		}
	}
	for name, claim := range m.Attributes {
		at := key + ".attributes." + name
		k.id(at, name)
		k.text(at, claim)
	}
}

// scopeCharacters are those of RFC 6749, 3.3 that providers use.
const scopeCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'()*+,-./:;<=>?@[]^_{|}~"
