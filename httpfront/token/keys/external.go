package keys

import (
	"cmp"
	"time"

	"ssod/httpfront/config"
	"ssod/httpfront/token/jose"
)

// defaultAudience is what external tokens are made for
// (httpfront/docs/headers.md#external-service-tokens).
const defaultAudience = "Adobe"

// VerifySSOID checks the value of X-SSO-ID in a realm of mode signed: a token of a
// trusted issuer (httpfront/docs/headers.md#x-sso-id). The viewer belongs to that issuer's
// namespace, as with an external service token.
func (r *Ring) VerifySSOID(realm *config.Realm, value []byte, now time.Time) (namespace, subject string, err error) {
	c, err := r.VerifyService(realm, value, now, Call)
	if err != nil {
		return "", "", err
	}
	if !c.External {
		return "", "", ErrParse
	}
	return c.Namespace, c.Subject, nil
}

// check takes the steps parse and signature for an external token. Only RS256
// will do, whatever the token says, so that a public key never serves as an
// HMAC secret. It returns the entry of the configuration whose key fits; an
// issuer may have several, for instance one for each PEM file.
func (i *issuers) check(realm *config.Realm, issuer string, t *jose.Token) (*config.TrustedIssuer, error) {
	if !t.Says(RS256) || !t.IsJWT() {
		return nil, ErrParse
	}
	err := ErrParse
	for n := range realm.TrustedIssuers {
		trusted := &realm.TrustedIssuers[n]
		if trusted.Issuer != issuer {
			continue
		}
		for _, k := range i.candidates(*trusted, t) {
			if k.Verify(t) {
				return trusted, nil
			}
			err = ErrSignature
		}
	}
	return nil, err
}

// external reads the claims of a token that a trusted issuer signed.
func external(c *jose.Claims, sub string, by *config.TrustedIssuer) (ServiceClaims, error) {
	if len(sub) > maxExternalSubject {
		return ServiceClaims{}, ErrSubject
	}
	s := ServiceClaims{Issuer: by.Issuer, External: true, Member: Member{Subject: sub, Namespace: by.Issuer}}
	s.ID, _ = c.ID.Text()
	var dated bool
	if s.Times, dated = c.Times(); !dated || !c.IsFor(cmp.Or(by.Audience, defaultAudience)) {
		return ServiceClaims{}, ErrUnacceptable
	}
	return s, nil
}
