package keys

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"ssod/httpfront/strictjson"

	"ssod/httpfront/config"
	"ssod/httpfront/token/jose"
)

// OwnIssuer is the iss of the service tokens that are minted here.
const OwnIssuer = "ssoservicetoken"

// NamespaceSSO is the namespace of profiles that an X-SSO-ID founded.
const NamespaceSSO = "sso"

// DeviceID is the did claim: the first 16 bytes of SHA-256 of the canonical
// device id (httpfront/docs/headers.md#own-service-tokens).
type DeviceID [16]byte

// Member is the device and profile that a service token is minted for.
type Member struct {
	Subject    string
	Namespace  string // "" means NamespaceSSO
	Device     DeviceID
	Membership int64 // mbr
	// Origin is when the first token of the chain was minted, which refreshing does
	// not change: auth_time (RFC 9068, 2.2.1). Zero begins a chain.
	Origin time.Time
}

// end is when the chain of a member's tokens ends.
func (m *Member) end(realm *config.Realm) time.Time {
	external := m.Namespace != "" && m.Namespace != NamespaceSSO
	return m.Origin.Add(realm.ServiceToken.ChainAge(external))
}

// ServiceClaims is what a verified service token says.
type ServiceClaims struct {
	// Member is the one that the token names. External tokens name no device and no
	// membership; their namespace is their issuer.
	Member
	jose.Times
	Issuer   string
	External bool
	ID       string // jti, for tracing; may be empty
}

// Signed is a token made here.
type Signed struct {
	Token     string
	NotBefore time.Time
	NotAfter  time.Time
}

// Purpose says what a service token is presented for.
type Purpose uint8

// The purposes of service tokens. For a Refresh a token of our own may have
// expired recently, and an external one is of no use.
const (
	Call Purpose = iota
	Refresh
)

// payloads are buffers for what is about to be signed.
var payloads = sync.Pool{New: func() any { b := make([]byte, 0, 1024); return &b }}

// SignService mints a service token for a member
// (httpfront/docs/headers.md#own-service-tokens), valid from the second of now for the
// realm's ttl, or until the member's chain ends.
func (r *Ring) SignService(realm *config.Realm, m Member, now time.Time) (Signed, error) {
	g := r.snapshot().groups[groupID{Service, realm.ID}]
	k := g.signing(now)
	if k == nil {
		return Signed{}, fmt.Errorf("service token of realm %s: %w", realm.ID, errNoKey)
	}
	header := k.headerNoKid
	if g.plural() {
		header = k.header
	}
	from := now.Truncate(time.Second).UTC()
	if m.Origin.IsZero() {
		m.Origin = from
	}
	to := from.Add(realm.ServiceToken.TTL)
	if end := m.end(realm); end.Before(to) {
		to = end
	}
	signed := Signed{NotBefore: from, NotAfter: to.Truncate(time.Second)}
	if !from.Before(signed.NotAfter) && !m.Origin.Equal(from) { // the chain is over
		return Signed{}, fmt.Errorf("service token of realm %s: %w", realm.ID, ErrExpired)
	}
	buffer := payloads.Get().(*[]byte)
	defer payloads.Put(buffer)
	payload, ok := appendServiceClaims((*buffer)[:0], m, signed)
	*buffer = payload
	if !ok {
		return Signed{}, fmt.Errorf("service token of realm %s: %w", realm.ID, ErrSubject)
	}
	var err error
	signed.Token, err = k.sign(header, payload)
	return signed, err
}

// appendServiceClaims writes the claims: the five documented ones in the order
// of the samples, then ours. It is written by hand because every refresh runs
// it. It reports whether all is UTF-8.
func appendServiceClaims(b []byte, m Member, s Signed) ([]byte, bool) {
	b = append(b, `{"iss":"`+OwnIssuer+`","sub":`...)
	b = strictjson.AppendString(b, m.Subject)
	b = strconv.AppendInt(append(b, `,"nbf":`...), s.NotBefore.Unix(), 10)
	b = strconv.AppendInt(append(b, `,"exp":`...), s.NotAfter.Unix(), 10)
	b = strconv.AppendInt(append(b, `,"iat":`...), s.NotBefore.Unix(), 10)
	b = appendID(b)
	b = b64.AppendEncode(append(b, `,"did":"`...), m.Device[:])
	b = strconv.AppendInt(append(b, `","mbr":`...), m.Membership, 10)
	b = strconv.AppendInt(append(b, `,"auth_time":`...), m.Origin.Unix(), 10)
	if m.Namespace != "" && m.Namespace != NamespaceSSO {
		b = strictjson.AppendString(append(b, `,"ns":`...), m.Namespace)
	}
	return append(b, '}'), utf8.ValidString(m.Subject) && utf8.ValidString(m.Namespace)
}

// appendID writes an id that no other token has.
func appendID(b []byte) []byte {
	var id [16]byte
	rand.Read(id[:]) // never fails
	return append(b64.AppendEncode(append(b, `,"jti":"`...), id[:]), '"')
}

// VerifyService takes the steps parse, signature, sub and time of the step
// table (httpfront/docs/headers.md#token-checks) for a token presented in a realm.
// Membership and device are for the profile to judge. A token that was verified before is
// found again by its hash; its times, and whether its key and its issuer still stand, are
// checked each time.
func (r *Ring) VerifyService(realm *config.Realm, token []byte, now time.Time, purpose Purpose) (ServiceClaims, error) {
	if len(token) > jose.MaxToken {
		return ServiceClaims{}, ErrParse
	}
	s := r.snapshot()
	stand := standing{realm: realm.ID, epoch: s.epoch, issuers: r.issuers.version.Load()}
	sum := sha256.Sum256(token)
	if e := r.services.get(&sum, &stand, now); e != nil {
		return e.claims, e.claims.judge(realm, now, purpose)
	}
	c, until, err := r.verifyService(s, realm, token, now, purpose)
	if err != nil {
		return ServiceClaims{}, err
	}
	end := c.Expires.Add(realm.ServiceToken.RefreshWindow)
	if !until.IsZero() && until.Before(end) {
		end = until
	}
	r.services.put(&sum, &entry[ServiceClaims]{standing: stand, until: end, claims: c}, now)
	return c, c.judge(realm, now, purpose)
}

// verifyService takes the steps before time; until is when the key ends.
func (r *Ring) verifyService(s *snapshot, realm *config.Realm, token []byte, now time.Time, purpose Purpose) (c ServiceClaims, until time.Time, err error) {
	t, ok := jose.ParseSigned(token)
	if !ok {
		return c, until, ErrParse
	}
	raw, object := jose.ParseClaims(t.Payload)
	var trusted *config.TrustedIssuer
	issuer, named := raw.Issuer.Text()
	switch {
	case !object || issuer == OwnIssuer:
		until, err = s.checkOwn(realm, &t, now)
	case !named || purpose == Refresh:
		return c, until, ErrParse
	default:
		trusted, err = r.issuers.check(realm, issuer, &t)
	}
	if err != nil {
		return c, until, err
	}
	if !object {
		return c, until, ErrSubject
	}
	sub, err := subject(&raw)
	if err != nil {
		return c, until, err
	}
	if trusted != nil {
		c, err = external(&raw, sub, trusted)
	} else {
		c, err = own(&raw, sub)
	}
	return c, until, err
}

// checkOwn takes the steps parse and signature for a token of our own. The key
// is the one that the token names among the realm's, else the realm's oldest;
// the algorithm is the key's.
func (s *snapshot) checkOwn(realm *config.Realm, t *jose.Token, now time.Time) (until time.Time, err error) {
	k := s.groups[groupID{Service, realm.ID}].oldest()
	if t.KeyID != "" {
		k = s.byID[t.KeyID]
	}
	if k == nil || k.use != Service || k.realm != realm.ID || !k.verifies(now) || !t.Says(k.algorithm) || t.Type != typService {
		return until, ErrParse
	}
	if !k.public.Verify(t) {
		return until, ErrSignature
	}
	return k.until, nil
}

// own reads the claims of a token that we signed. A token without a device is
// unacceptable: it would pass for an external one; so is one without the origin of
// its chain, which would have no end.
func own(c *jose.Claims, sub string) (ServiceClaims, error) {
	s := ServiceClaims{Issuer: OwnIssuer, Member: Member{Subject: sub, Namespace: NamespaceSSO}}
	var ok bool
	s.Times, ok = c.Times()
	did, _ := c.Device.Text()
	device, err := b64.Strict().DecodeString(did)
	if len(device) != len(s.Device) || err != nil {
		ok = false
	}
	copy(s.Device[:], device)
	mbr, isInt := c.Membership.Int64()
	s.Membership = mbr
	origin, hasOrigin := jose.Date(c.AuthTime)
	s.Origin = origin.UTC()
	s.ID, _ = c.ID.Text()
	if ns, found := c.Namespace.Text(); found {
		s.Namespace = ns
	}
	if !ok || !isInt || !hasOrigin || origin.IsZero() || s.Namespace == "" {
		return ServiceClaims{}, ErrUnacceptable
	}
	return s, nil
}

// judge is the step time. The end of our own tokens is exact, that of external
// ones allows for their issuer's clock. No token outlives its chain, also where the
// configuration has shortened that meanwhile.
func (s *ServiceClaims) judge(realm *config.Realm, now time.Time, purpose Purpose) error {
	if s.External && purpose == Refresh {
		return ErrParse
	}
	if !now.Before(s.last(realm, purpose)) {
		return ErrExpired
	}
	if !s.Begun(now) || s.Origin.After(now.Add(jose.Skew)) {
		return ErrUnacceptable
	}
	return nil
}

// last is the end of a token's validity.
func (s *ServiceClaims) last(realm *config.Realm, purpose Purpose) time.Time {
	if s.External {
		return s.Expires.Add(jose.Skew)
	}
	end := s.Expires
	if purpose == Refresh {
		end = end.Add(realm.ServiceToken.RefreshWindow)
	}
	if chain := s.end(realm); chain.Before(end) {
		return chain
	}
	return end
}
