package keys

import (
	"strings"
	"time"

	"ssod/httpfront/config"
	"ssod/httpfront/strictjson"
)

// defaultAudience is what external tokens are made for (headers.md 7.1).
const defaultAudience = "Adobe"

// VerifySSOID checks the value of X-SSO-ID in a realm of mode signed: a token
// of a trusted issuer, whose sub is the common identifier (headers.md 5).
func (r *Ring) VerifySSOID(realm *config.Realm, value []byte, now time.Time) (subject string, err error) {
	c, err := r.VerifyService(realm, value, now, Call)
	if err != nil {
		return "", err
	}
	if !c.External {
		return "", ErrParse
	}
	return c.Subject, nil
}

func trusted(realm *config.Realm, issuer string) *config.TrustedIssuer {
	for i := range realm.TrustedIssuers {
		if realm.TrustedIssuers[i].Issuer == issuer {
			return &realm.TrustedIssuers[i]
		}
	}
	return nil
}

func audience(realm *config.Realm, issuer string) string {
	if t := trusted(realm, issuer); t != nil && t.Audience != "" {
		return t.Audience
	}
	return defaultAudience
}

// check takes the steps parse and signature for an external token. Only RS256
// will do, whatever the token says, so that a public key never serves as an
// HMAC secret.
func (i *issuers) check(realm *config.Realm, issuer string, t *jws) error {
	configured := trusted(realm, issuer)
	if configured == nil || !t.alg.Is(RS256) || t.hasTyp && !strings.EqualFold(t.typ, typService) {
		return ErrParse
	}
	candidates := i.candidates(*configured, t)
	if len(candidates) == 0 {
		return ErrParse
	}
	for _, k := range candidates {
		if !t.stray && k.verify(t) {
			return nil
		}
	}
	return ErrSignature
}

// external reads the claims of a token that a trusted issuer signed.
func (c *claims) external(sub, issuer, audience string) (ServiceClaims, error) {
	s := ServiceClaims{Issuer: issuer, External: true, Member: Member{Subject: sub, Namespace: issuer}}
	s.ID, _ = c.jti.Text()
	if !s.dates(c) || !c.isFor(audience) {
		return ServiceClaims{}, ErrUnacceptable
	}
	return s, nil
}

// isFor reports whether aud, a string or an array, has the audience.
func (c *claims) isFor(audience string) bool {
	if one, ok := c.aud.Text(); ok {
		return strings.EqualFold(one, audience)
	}
	list, ok := c.aud.Texts()
	if !ok || c.aud.Kind() != strictjson.Array {
		return false
	}
	for _, one := range list {
		if strings.EqualFold(one, audience) {
			return true
		}
	}
	return false
}
