package platform

import (
	"bytes"
	"encoding/base64"
	"strings"

	"ssod/httpfront/strictjson"
)

// maxToken is the longest token that is looked at
// (httpfront/docs/limits.md#sizes-and-counts).
const maxToken = 8 << 10

// Sizes of the parts of a JWE with A256GCM (RFC 7518, 5.3) and RSA up to 8192
// bits.
const (
	maxWrapped = 1024
	ivSize     = 12
	tagSize    = 16
)

var b64 = base64.RawURLEncoding.Strict()

// compact is a token taken apart, not verified.
type compact struct {
	text      string
	parts     [][]byte // encoded
	alg, kid  string
	encrypted bool
}

// forbidden are header members that ask the reader to fetch or trust a key of
// the token's choice, to work more, or to read the content in another way;
// RFC 8725, 3.10; RFC 7516, 4.1.3; RFC 7518, 4.6 to 4.8.
var forbidden = map[string]bool{
	"jku": true, "jwk": true, "x5u": true, "x5c": true, "crit": true, "b64": true,
	"zip": true, "epk": true, "apu": true, "apv": true, "p2s": true, "p2c": true, "iv": true, "tag": true,
}

// take takes a token apart, as far as that needs no key.
func take(token []byte) (compact, error) {
	if len(token) > maxToken || !plain(token) {
		return compact{}, ErrToken
	}
	t := compact{text: string(token), parts: bytes.Split(token, []byte{'.'})}
	if n := len(t.parts); n != 3 && n != 5 {
		return compact{}, ErrToken
	}
	for _, part := range t.parts {
		if _, err := b64.AppendDecode(nil, part); err != nil {
			return compact{}, ErrToken // bits at its end that encode nothing
		}
	}
	t.encrypted = len(t.parts) == 5
	if !t.readHeader() || t.encrypted && !t.hasSizes() {
		return compact{}, ErrToken
	}
	return t, nil
}

// plain reports whether token has characters of Base64url and dots only; the
// decoder of the standard library skips line ends.
func plain(token []byte) bool {
	for _, c := range token {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

func (t *compact) readHeader() bool {
	raw, err := b64.AppendDecode(nil, t.parts[0])
	if err != nil {
		return false
	}
	header, err := strictjson.Parse(raw)
	if err != nil || header.Kind() != strictjson.Object {
		return false
	}
	var enc string
	for name, v := range header.Members() {
		ok := !forbidden[string(name)]
		switch string(name) {
		case "alg":
			t.alg, ok = v.Text()
		case "enc":
			enc, ok = v.Text()
		case "kid":
			t.kid, ok = v.Text()
		case "typ":
			ok = isJWT(v)
		}
		if !ok {
			return false
		}
	}
	if t.encrypted {
		return enc == "A256GCM" && (t.alg == "RSA-OAEP-256" || t.alg == "dir")
	}
	return enc == "" && (t.alg == "RS256" || t.alg == "ES256" || t.alg == "HS256")
}

// isJWT accepts the type that a token may say it has; others are another kind
// of token (RFC 8725, 3.11).
func isJWT(v strictjson.Value) bool {
	typ, ok := v.Text()
	return ok && strings.EqualFold(typ, "JWT")
}

// hasSizes reports whether the parts of a JWE are as long as they must be.
func (t *compact) hasSizes() bool {
	wrapped := b64.DecodedLen(len(t.parts[1]))
	if t.alg == "dir" {
		return wrapped == 0 && t.hasGCMSizes()
	}
	return wrapped >= minRSABits/8 && wrapped <= maxWrapped && t.hasGCMSizes()
}

func (t *compact) hasGCMSizes() bool {
	return b64.DecodedLen(len(t.parts[2])) == ivSize && len(t.parts[3]) > 0 && b64.DecodedLen(len(t.parts[4])) == tagSize
}

// payload is the second part of a JWS, decoded.
func (t *compact) payload() ([]byte, error) {
	raw, err := b64.AppendDecode(nil, t.parts[1])
	if err != nil || len(t.parts[2]) == 0 {
		return nil, ErrToken
	}
	return raw, nil
}
