package config

import (
	"fmt"
	"strings"
)

// ownIssuer is the iss of the service tokens that this service mints;
// httpfront/docs/headers.md#own-service-tokens. Nobody else may have it.
const ownIssuer = "ssoservicetoken"

// source is where the keys of another party come from: at most one of three.
type source struct{ jwksFile, jwksURL, pemFile, kid string }

func (k *checker) trustedIssuers(key string, issuers []TrustedIssuer) {
	seen := map[string]string{}
	for i, t := range issuers {
		at := fmt.Sprintf("%s[%d]", key, i)
		k.issuer(at+".issuer", t.Issuer, seen)
		k.text(at+".audience", t.Audience)
		k.source(at, source{t.JWKSFile, t.JWKSURL, t.PEMFile, t.KID}, true)
	}
}

// maxIssuer is the longest name of an issuer in bytes. It is part of the identity of a
// profile, with a realm's id and a subject, and an identity has at most 1024 bytes.
const maxIssuer = 512

func (k *checker) issuer(key, issuer string, seen map[string]string) {
	if !k.text(key, issuer) {
		return
	}
	if len(issuer) > maxIssuer {
		k.mistake(key, "is longer than %d bytes", maxIssuer)
	}
	k.unique(seen, key, issuer)
	if issuer == ownIssuer || strings.HasPrefix(issuer, "platform:") || issuer == "sso" {
		k.mistake(key, "%q is a name that this service uses itself", clip(issuer))
	}
}

func (k *checker) source(key string, s source, required bool) {
	n := 0
	for _, value := range []string{s.jwksFile, s.jwksURL, s.pemFile} {
		if value != "" {
			n++
		}
	}
	if n > 1 || n == 0 && required {
		k.mistake(key, "has %d of jwksFile, jwksURL and pemFile, must have exactly one", n)
	}
	if s.jwksURL != "" {
		k.remote(key+".jwksURL", s.jwksURL)
	}
	if s.kid != "" && s.pemFile == "" {
		k.mistake(key+".kid", "goes with pemFile only; a key set names its keys itself")
	}
}

func (k *checker) platforms(key string, platforms []Platform) {
	names, issuers := map[string]string{}, map[string]string{}
	for i, p := range platforms {
		at := fmt.Sprintf("%s[%d]", key, i)
		k.id(at+".name", p.Name)
		k.unique(names, at+".name", p.Name)
		k.issuer(at+".issuer", p.Issuer, issuers)
		k.text(at+".audience", p.Audience)
		if len(p.Algorithms) == 0 {
			k.mistake(at+".algorithms", "is empty: no token would be accepted")
		}
		for j, algorithm := range p.Algorithms {
			k.oneOf(fmt.Sprintf("%s.algorithms[%d]", at, j), algorithm, "RS256", "HS256", "ES256")
		}
		k.source(at, source{p.JWKSFile, p.JWKSURL, p.PEMFile, p.KID}, p.DecryptionKeyFile == "")
	}
}
