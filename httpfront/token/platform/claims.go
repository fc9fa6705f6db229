package platform

import (
	"strings"
	"time"

	"ssod/httpfront/token/jose"
)

// maxSubject bounds what becomes part of an identity, in bytes.
const maxSubject = 256

// judge checks the claims of an authentic token of the platform.
func (p *platform) judge(payload []byte, now time.Time) (Identity, error) {
	c, ok := jose.ParseClaims(payload)
	if !ok {
		return Identity{}, ErrToken
	}
	sub, ok := c.Subject.Text()
	if !ok || strings.TrimSpace(sub) == "" || len(sub) > maxSubject || !c.Issuer.Is(p.Issuer) || !c.IsFor(p.Audience) {
		return Identity{}, ErrClaims
	}
	times, ok := c.Times()
	if !ok || !times.Begun(now) {
		return Identity{}, ErrClaims
	}
	if !now.Before(times.Expires) {
		return Identity{}, ErrExpired
	}
	return Identity{Platform: p.Name, Issuer: p.Issuer, Subject: sub, expires: times.Expires}, nil
}
