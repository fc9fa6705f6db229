package jose

import (
	"bytes"
	"encoding/base64"
	"strings"

	"ssod/httpfront/strictjson"
)

// MaxToken is the longest token that is looked at
// (httpfront/docs/limits.md#sizes-and-counts).
const MaxToken = 8 << 10

// Sizes of the parts of a JWE with A256GCM (RFC 7518, 5.3) under RSA keys of 2048 to
// 8192 bits, in bytes.
const (
	minWrapped = 256
	maxWrapped = 1024
	ivSize     = 12
	tagSize    = 16
)

// Base64url without padding, as everywhere in JOSE (RFC 7515, 2). The strict one
// accepts one encoding of each value only, but both skip line ends.
var (
	b64       = base64.RawURLEncoding
	b64strict = base64.RawURLEncoding.Strict()
)

// Token is a token taken apart, not verified.
type Token struct {
	header
	// Encrypted: it is a JWE, not a JWS.
	Encrypted bool
	// Payload is that of a JWS, which [Key.Verify] finds authentic or not.
	Payload []byte

	text      string // what the signature of a JWS covers, or a whole JWE
	signature []byte
	// stray says that the signature's last character has bits that encode
	// nothing: it was changed, although it decodes to the same bytes.
	stray bool
}

// Parse takes a JWS or a JWE apart; false when it is neither.
func Parse(token []byte) (Token, bool) {
	if bytes.Count(token, []byte{'.'}) == 4 {
		return parseEncrypted(token)
	}
	return ParseSigned(token)
}

// ParseSigned takes a JWS apart; false when it is none.
func ParseSigned(token []byte) (Token, bool) {
	var t Token
	first, last := bytes.IndexByte(token, '.'), bytes.LastIndexByte(token, '.')
	if first <= 0 || last <= first+1 || last == len(token)-1 || !plain(token, 2) {
		return t, false
	}
	decoded := make([]byte, 0, len(token))
	header, err := b64strict.AppendDecode(decoded, token[:first])
	if err != nil || !t.parse(header) || t.enc.Kind() != strictjson.Absent {
		return t, false
	}
	if t.Payload, err = b64strict.AppendDecode(header[len(header):], token[first+1:last]); err != nil {
		return t, false
	}
	if t.signature, err = b64.AppendDecode(t.Payload[len(t.Payload):], token[last+1:]); err != nil {
		return t, false
	}
	t.stray = strayBits(token[last+1:])
	t.text = string(token[:last])
	return t, true
}

// parseEncrypted takes a JWE apart as far as that needs no key.
func parseEncrypted(token []byte) (Token, bool) {
	t := Token{Encrypted: true}
	if !plain(token, 4) {
		return t, false
	}
	t.text = string(token)
	var parts [5][]byte
	for i, part := range bytes.Split(token, []byte{'.'}) {
		var err error
		if parts[i], err = b64strict.AppendDecode(nil, part); err != nil {
			return t, false
		}
	}
	if !t.parse(parts[0]) || !t.enc.Is(a256GCM) || len(parts[2]) != ivSize || len(parts[3]) == 0 || len(parts[4]) != tagSize {
		return t, false
	}
	switch wrapped := len(parts[1]); {
	case t.Says(Dir):
		return t, wrapped == 0
	case t.Says(RSAOAEP256):
		return t, minWrapped <= wrapped && wrapped <= maxWrapped
	}
	return t, false
}

// plain reports whether a token is not too long and has characters of the alphabet
// only, beside so many dots; the decoder of the standard library skips line ends.
func plain(token []byte, dots int) bool {
	if len(token) > MaxToken {
		return false
	}
	for _, c := range token {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		case c == '.':
			dots--
		default:
			return false
		}
	}
	return dots == 0
}

// strayBits reports whether the last character of a text that decodes has bits
// that encode nothing.
func strayBits(text []byte) bool {
	var last [3]byte
	_, err := b64strict.Decode(last[:], text[len(text)/4*4:])
	return err != nil
}

// header is what is read of a JOSE header.
type header struct {
	Type     string // typ; "" when the token has none
	KeyID    string // kid; "" when the token names no key
	alg, enc strictjson.Value
}

// forbidden are header members that ask the reader to fetch or trust a key of the
// token's choice, to work more, or to read the content in another way
// (RFC 8725, 3.10; RFC 7515, 4.1.11; RFC 7516, 4.1.3; RFC 7518, 4.6 to 4.8).
var forbidden = map[string]bool{
	"jku": true, "jwk": true, "x5u": true, "x5c": true, "crit": true, "b64": true,
	"zip": true, "epk": true, "apu": true, "apv": true, "p2s": true, "p2c": true, "iv": true, "tag": true,
}

func (h *header) parse(data []byte) bool {
	object, err := strictjson.Parse(data)
	if err != nil || object.Kind() != strictjson.Object {
		return false
	}
	for name, v := range object.Members() {
		ok := true
		switch string(name) {
		case "alg":
			h.alg, ok = v, v.Kind() == strictjson.Text
		case "enc":
			h.enc = v
		case "typ":
			h.Type, ok = v.Text()
			ok = ok && h.Type != ""
		case "kid":
			h.KeyID, ok = v.Text()
			ok = ok && h.KeyID != ""
		default:
			ok = !forbidden[string(name)]
		}
		if !ok {
			return false
		}
	}
	return h.alg.Kind() == strictjson.Text
}

// Says reports whether the token names the algorithm as its own.
func (h *header) Says(algorithm string) bool { return h.alg.Is(algorithm) }

// IsJWT reports whether the token's typ is JWT or absent.
func (h *header) IsJWT() bool { return h.Type == "" || strings.EqualFold(h.Type, "JWT") }
