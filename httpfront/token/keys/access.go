package keys

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"ssod/httpfront/strictjson"

	"ssod/httpfront/token/jose"
)

// AccessClaims is what a verified access token says.
type AccessClaims struct {
	Client string // the client id
	Scopes string // separated by spaces
	jose.Times
}

// SignAccess makes an access token for a client. No two are the same.
func (r *Ring) SignAccess(client, scopes string, now time.Time) (Signed, error) {
	s := r.snapshot()
	k := s.groups[groupID{use: Access}].signing(now)
	if k == nil {
		return Signed{}, fmt.Errorf("access token: %w", errNoKey)
	}
	from := now.Truncate(time.Second).UTC()
	signed := Signed{NotBefore: from, NotAfter: from.Add(s.cfg.AccessToken.TTL).Truncate(time.Second)}
	if !utf8.ValidString(client) || !utf8.ValidString(s.cfg.Issuer) || !utf8.ValidString(scopes) {
		return Signed{}, fmt.Errorf("access token: %w", ErrAccess)
	}
	b := strictjson.AppendString([]byte(`{"sub":`), client)
	b = strictjson.AppendString(append(b, `,"iss":`...), s.cfg.Issuer)
	b = strconv.AppendInt(append(b, `,"nbf":`...), signed.NotBefore.Unix(), 10)
	b = strconv.AppendInt(append(b, `,"exp":`...), signed.NotAfter.Unix(), 10)
	b = strconv.AppendInt(append(b, `,"iat":`...), signed.NotBefore.Unix(), 10)
	b = strictjson.AppendString(append(appendID(b), `,"scopes":`...), scopes)
	var err error
	signed.Token, err = k.sign(k.header, append(b, '}'))
	return signed, err
}

// VerifyAccess checks an access token. It fails with [ErrAccess], or with
// [ErrAccessExpired] when nothing speaks against the token but that its time is
// over. Whether the client still has a right to it is for package registration to
// judge.
func (r *Ring) VerifyAccess(token []byte, now time.Time) (AccessClaims, error) {
	if len(token) > jose.MaxToken {
		return AccessClaims{}, ErrAccess
	}
	s := r.snapshot()
	stand := standing{epoch: s.epoch}
	sum := sha256.Sum256(token)
	if e := r.accesses.get(&sum, &stand, now); e != nil {
		return e.claims, e.claims.judge(now)
	}
	c, err := s.verifyAccess(token, now)
	if err != nil {
		return AccessClaims{}, err
	}
	if err = c.judge(now); err == nil {
		r.accesses.put(&sum, &entry[AccessClaims]{standing: stand, until: c.Expires, claims: c}, now)
	}
	return c, err
}

func (s *snapshot) verifyAccess(token []byte, now time.Time) (c AccessClaims, err error) {
	t, ok := jose.ParseSigned(token)
	if !ok || t.Type != typAccess {
		return c, ErrAccess
	}
	raw, ok := jose.ParseClaims(t.Payload)
	if !ok {
		return c, ErrAccess
	}
	k := s.byID[t.KeyID]
	if k == nil || k.use == Access && !k.verifies(now) {
		return c, s.outlived(k, &raw, now)
	}
	if k.use != Access || !k.public.Verify(&t) {
		return c, ErrAccess
	}
	if !raw.Issuer.Is(s.cfg.Issuer) {
		return c, ErrAccessExpired // ours, from before the issuer was renamed
	}
	if !c.read(&raw) {
		return c, ErrAccess
	}
	return c, nil
}

// outlived is the error of a token whose key verifies nothing any more: expired, if that
// key is still known or the token itself says that it is ours and expired. That cannot be
// verified, and need not be, because the token is refused either way. But an app that
// returns after months, or after a key was revoked, must get another token and not
// register again, which would lose the logins of its viewer.
func (s *snapshot) outlived(k *slot, raw *jose.Claims, now time.Time) error {
	end, ok := jose.Date(raw.Expires)
	expired := ok && !end.IsZero() && !now.Before(end)
	if k != nil || expired && raw.Issuer.Is(s.cfg.Issuer) {
		return ErrAccessExpired
	}
	return ErrAccess
}

// read reads the claims of an authentic token.
func (c *AccessClaims) read(raw *jose.Claims) bool {
	var dated bool
	c.Client, _ = raw.Subject.Text()
	c.Scopes, _ = raw.Scopes.Text()
	c.Times, dated = raw.Times()
	return c.Client != "" && dated
}

func (c *AccessClaims) judge(now time.Time) error {
	if !now.Before(c.Expires) {
		return ErrAccessExpired
	}
	if !c.Begun(now) {
		return ErrAccess
	}
	return nil
}
