package platform

import (
	"strings"
	"time"

	"ssod/httpfront/strictjson"
	"ssod/httpfront/token/claim"
)

// Limits of what becomes part of an identity.
const (
	maxSubject = 256
	skew       = 60 * time.Second
)

// claims are those that are looked at, unchecked.
type claims struct{ iss, sub, aud, exp, iat, nbf strictjson.Value }

func parseClaims(payload []byte) (c claims, err error) {
	object, err := strictjson.Parse(payload)
	if err != nil || object.Kind() != strictjson.Object {
		return c, ErrToken
	}
	for name, v := range object.Members() {
		switch string(name) {
		case "iss":
			c.iss = v
		case "sub":
			c.sub = v
		case "aud":
			c.aud = v
		case "exp":
			c.exp = v
		case "iat":
			c.iat = v
		case "nbf":
			c.nbf = v
		}
	}
	return c, nil
}

// judge checks the claims of an authentic token of the platform.
func (c *claims) judge(p *platform, now time.Time) (Identity, error) {
	sub, ok := c.sub.Text()
	if !ok || strings.TrimSpace(sub) == "" || len(sub) > maxSubject || !c.iss.Is(p.Issuer) || !claim.IsFor(c.aud, p.Audience) {
		return Identity{}, ErrClaims
	}
	expires, ok := claim.Date(c.exp)
	if !ok || c.exp.Kind() == strictjson.Absent {
		return Identity{}, ErrClaims
	}
	for _, v := range []strictjson.Value{c.iat, c.nbf} {
		if at, ok := claim.Date(v); !ok || at.After(now.Add(skew)) {
			return Identity{}, ErrClaims
		}
	}
	if !now.Before(expires) {
		return Identity{}, ErrExpired
	}
	return Identity{Platform: p.Name, Issuer: p.Issuer, Subject: sub, expires: expires}, nil
}
