package verifier

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"io"
	"strings"
	"time"
)

// maxToken is the longest token that is looked at.
const maxToken = 64 << 10

// Skew is how far the clocks of service and backend may be apart.
const Skew = time.Minute

// Verifier checks the tokens of one realm. It is safe for concurrent use.
type Verifier struct {
	// Now is the clock; nil means time.Now. It is set before the first use.
	Now  func() time.Time
	keys []*rsa.PublicKey
}

// New returns a verifier with the keys of a JWK set.
func New(jwks []byte) (*Verifier, error) {
	keys, err := parseJWKS(jwks)
	if err != nil {
		return nil, err
	}
	return &Verifier{keys: keys}, nil
}

// Token is what a token says.
type Token struct {
	// ID tells tokens apart, those of one viewer in one second too.
	ID              string
	SessionGUID     string
	ServiceProvider string
	ResourceID      string
	MVPDID          string
	ProxyMVPDID     string // empty as a rule
	IssueTime       time.Time
	TTL             time.Duration
}

// Expires is when the token's time is over.
func (t Token) Expires() time.Time { return t.IssueTime.Add(t.TTL) }

// Verify checks a token for a resource; an empty resource checks authenticity
// and time only. What the token says is returned as soon as its signature is
// found good.
func (v *Verifier) Verify(serialized, resource string) (Token, Result) {
	signature, element, ok := split(serialized)
	if !ok {
		return Token{}, InvalidFormat
	}
	if !v.signed(element, signature) {
		return Token{}, InvalidSignature
	}
	token, ok := parse(element)
	if !ok {
		return Token{}, Unknown
	}
	now := time.Now()
	if v.Now != nil {
		now = v.Now()
	}
	switch {
	case !now.Before(token.Expires()) || token.IssueTime.After(now.Add(Skew)):
		return token, Expired
	case resource != "" && resource != token.ResourceID:
		return token, InvalidResource
	}
	return token, Valid
}

// split takes a serialized token apart.
func split(serialized string) (signature []byte, element string, ok bool) {
	if len(serialized) > maxToken || strings.ContainsAny(serialized, "\r\n") {
		return nil, "", false
	}
	text, err := base64.StdEncoding.Strict().DecodeString(serialized)
	if err != nil {
		return nil, "", false
	}
	rest, ok := strings.CutPrefix(string(text), "<signatureInfo>")
	info, element, found := strings.Cut(rest, "</signatureInfo>")
	if !ok || !found || strings.ContainsAny(info, "\r\n") ||
		!strings.HasPrefix(element, "<shortAuthorizationToken>") || !strings.HasSuffix(element, "</shortAuthorizationToken>") {
		return nil, "", false
	}
	signature, err = base64.StdEncoding.Strict().DecodeString(info)
	return signature, element, err == nil
}

// signed reports whether one of the keys signed the element.
func (v *Verifier) signed(element string, signature []byte) bool {
	sum := sha256.Sum256([]byte(element))
	for _, key := range v.keys {
		if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil {
			return true
		}
	}
	return false
}

// content is the element as XML.
type content struct {
	XMLName     xml.Name `xml:"shortAuthorizationToken"`
	SessionGUID string   `xml:"sessionGUID"`
	RequestorID string   `xml:"requestorID"`
	ResourceID  string   `xml:"resourceID"`
	TTL         int64    `xml:"ttl"` // milliseconds
	IssueTime   string   `xml:"issueTime"`
	MVPDID      string   `xml:"mvpdId"`
	ProxyMVPDID string   `xml:"proxyMvpdId"`
	ID          string   `xml:"jti"`
}

// parse reads an element that the service has signed.
func parse(element string) (Token, bool) {
	var c content
	d := xml.NewDecoder(strings.NewReader(element))
	if d.Decode(&c) != nil {
		return Token{}, false
	}
	if _, err := d.Token(); err != io.EOF {
		return Token{}, false
	}
	issued, err := time.Parse("2006/01/02 15:04:05 GMT -0700", c.IssueTime)
	if err != nil || c.ID == "" || c.TTL <= 0 || c.TTL > int64(24*time.Hour/time.Millisecond) {
		return Token{}, false
	}
	return Token{
		ID: c.ID, SessionGUID: c.SessionGUID, ServiceProvider: c.RequestorID,
		ResourceID: c.ResourceID, MVPDID: c.MVPDID, ProxyMVPDID: c.ProxyMVPDID,
		IssueTime: issued.UTC(), TTL: time.Duration(c.TTL) * time.Millisecond,
	}, true
}
