package config

import (
	"fmt"
	"slices"
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
		k.brand(at, m.Brand(), m.DarkColor != "")
		k.oneOf(at+".kind", m.Kind, "sandbox", "oidc", "saml", "temppass")
		k.lifetime(at+".authnTTL", m.AuthnTTL, bounds{time.Minute, maxLifetime})
		k.lifetime(at+".unknownTTL", m.UnknownTTL, bounds{time.Minute, maxLifetime})
		k.lifetime(at+".authzTTL", m.AuthzTTL, bounds{time.Minute, maxLifetime})
		for j, id := range m.DisabledFor {
			k.provider(fmt.Sprintf("%s.disabledFor[%d]", at, j), r, id)
		}
		k.mvpdKind(at, m)
		k.decision(at, m)
		k.metadata(at, r, m)
	}
}

// mvpdKind checks the keys that belong to one kind of TV provider only.
func (k *checker) mvpdKind(key string, m MVPD) {
	k.only(key+".issuer", m.Kind, m.Issuer != "", "oidc")
	k.only(key+".clientId", m.Kind, m.ClientID != "", "oidc")
	k.only(key+".clientSecretFile", m.Kind, m.ClientSecretFile != "", "oidc")
	k.only(key+".responseMode", m.Kind, m.ResponseMode != ResponseQuery, "oidc")
	k.only(key+".scopes", m.Kind, len(m.Scopes) > 0, "oidc")
	k.only(key+".attributes", m.Kind, len(m.Attributes) > 0, "oidc", "saml")
	k.only(key+".caFile", m.Kind, m.CAFile != "", decided...)
	k.only(key+".ttl", m.Kind, m.TTL != 0, "temppass")
	k.only(key+".maxResources", m.Kind, m.MaxResources != 0, "temppass")
	k.only(key+".trialsPerAddress", m.Kind, m.TrialsPerAddress != defaultTrialsPerAddress, "temppass")
	k.only(key+".identityKey", m.Kind, m.IdentityKey != "", "temppass")
	k.only(key+".logoutEndpoint", m.Kind, !m.LogoutEndpoint, "sandbox")
	k.onlySAML(key, m)
	switch m.Kind {
	case "sandbox":
		k.sandbox(key, m)
	case "oidc":
		k.oidc(key, m)
	case "saml":
		k.saml(key, m)
	case "temppass":
		k.temppass(key, m)
	}
}

// only reports a key that is set although the kind does not have it.
func (k *checker) only(key, kind string, set bool, owners ...string) {
	if set && !slices.Contains(owners, kind) {
		k.mistake(key, "is a key of kind %s", strings.Join(owners, " and "))
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
	k.oneOf(key+".responseMode", m.ResponseMode, ResponseQuery, ResponseFormPost)
	for i, scope := range m.Scopes {
		if strings.Trim(scope, scopeCharacters) != "" || scope == "" {
			k.mistake(fmt.Sprintf("%s.scopes[%d]", key, i), "%q is no scope", clip(scope))
		}
	}
	k.attributes(key, m)
}

// attributes checks what the attributes of viewers are made of.
func (k *checker) attributes(key string, m MVPD) {
	for name, source := range m.Attributes {
		at := key + ".attributes." + name
		k.id(at, name)
		k.text(at, source)
	}
}

// scopeCharacters are those of RFC 6749, 3.3 that providers use.
const scopeCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'()*+,-./:;<=>?@[]^_{|}~"
