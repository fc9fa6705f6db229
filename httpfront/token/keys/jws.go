package keys

import (
	"bytes"
	"crypto/sha256"
	"hash"

	"ssod/httpfront/strictjson"
)

// MaxToken is the longest token that is looked at
// (httpfront/docs/limits.md#sizes-and-counts).
const MaxToken = 8 << 10

// jws is a compact serialization (RFC 7515, 3.1) taken apart, not verified.
type jws struct {
	alg    strictjson.Value
	typ    string
	hasTyp bool
	kid    string
	hasKid bool

	signed    string // what the signature covers
	payload   []byte
	signature []byte
	// stray says that the signature's last character has bits that encode
	// nothing: it was changed, although it decodes to the same bytes.
	stray bool
}

// parseJWS takes a token apart. It refuses what is not three non-empty parts
// of unpadded Base64url with a strict JSON object as header.
func parseJWS(token []byte) (jws, bool) {
	var t jws
	first, last := bytes.IndexByte(token, '.'), bytes.LastIndexByte(token, '.')
	if len(token) > MaxToken || first <= 0 || last <= first+1 || last == len(token)-1 || !base64url(token, first, last) {
		return t, false
	}
	decoded := make([]byte, 0, len(token))
	header, err := b64strict.AppendDecode(decoded, token[:first])
	if err != nil || !t.parseHeader(header) {
		return t, false
	}
	if t.payload, err = b64strict.AppendDecode(header[len(header):], token[first+1:last]); err != nil {
		return t, false
	}
	if t.signature, err = b64.AppendDecode(t.payload[len(t.payload):], token[last+1:]); err != nil {
		return t, false
	}
	t.stray = strayBits(token[last+1:])
	t.signed = string(token[:last])
	return t, true
}

// strayBits reports whether the last character of a text that decodes has bits
// that encode nothing.
func strayBits(text []byte) bool {
	var last [3]byte
	_, err := b64strict.Decode(last[:], text[len(text)/4*4:])
	return err != nil
}

// base64url reports whether token has only characters of the alphabet beside
// its two dots; the decoder of the standard library skips line ends.
func base64url(token []byte, first, last int) bool {
	for i, c := range token {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		case i == first, i == last:
		default:
			return false
		}
	}
	return true
}

// parseHeader reads the JOSE header. Members that would have the verifier
// fetch or trust a key of the token's choice, or read the payload in another
// way, are refused whatever they hold (RFC 8725, 3.10; RFC 7515, 4.1.11).
func (t *jws) parseHeader(data []byte) bool {
	header, err := strictjson.Parse(data)
	if err != nil || header.Kind() != strictjson.Object {
		return false
	}
	for name, v := range header.Members() {
		switch string(name) {
		case "alg":
			t.alg = v
		case "typ":
			t.typ, t.hasTyp = v.Text()
			if !t.hasTyp {
				return false
			}
		case "kid":
			t.kid, t.hasKid = v.Text()
			if !t.hasKid {
				return false
			}
		case "jku", "jwk", "x5u", "x5c", "crit", "b64":
			return false
		}
	}
	return t.alg.Kind() == strictjson.Text
}

// verify checks the signature with a key that was chosen by the configuration.
// The caller has compared the algorithms.
func (t *jws) verify(k *key) bool {
	return !t.stray && k.method.Verify(t.signed, t.signature, k.public) == nil
}

// sign returns the token of an encoded header and a payload. It works in the
// room behind payload, if there is enough.
func (k *key) sign(header, payload []byte) (string, error) {
	token := append(payload[len(payload):], header...)
	token = b64.AppendEncode(token, payload)
	var room [sha256.Size]byte
	signature, err := k.signature(token, room[:0])
	if err != nil {
		return "", err
	}
	return string(b64.AppendEncode(append(token, '.'), signature)), nil
}

// signature signs a text and appends to b. HS256 signs every refresh: it takes
// an HMAC that is keyed already, which halves the cost.
func (k *key) signature(text, b []byte) ([]byte, error) {
	if k.oct == nil {
		return k.method.Sign(string(text), k.private)
	}
	mac := k.macs.Get().(hash.Hash)
	defer k.macs.Put(mac)
	mac.Reset()
	mac.Write(text)
	return mac.Sum(b), nil
}
