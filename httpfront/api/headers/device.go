package headers

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"strings"

	"ssod/httpfront/api"
	"ssod/httpfront/wire"
)

const (
	// MaxDevice is the longest decoded device identifier;
	// httpfront/docs/limits.md#sizes-and-counts.
	MaxDevice = 256
	// deviceType is the only type of identifier there is.
	deviceType = "fingerprint"
)

// Device returns the decoded device identifier of a request; nil when the
// header is absent or blank.
func Device(r *api.Request) ([]byte, error) {
	header := r.Header(wire.DeviceIdentifier)
	if len(header) == 0 {
		return nil, nil
	}
	id, ok := ParseDevice(header)
	if !ok {
		return nil, api.ErrDevice
	}
	return id, nil
}

// ParseDevice reads "fingerprint" and Base64;
// httpfront/docs/headers.md#ap-device-identifier. It is one word, since two would name
// two devices.
func ParseDevice(header []byte) (id []byte, ok bool) {
	kind, value, found := bytes.Cut(bytes.Trim(header, " \t"), []byte{' '})
	value = bytes.TrimLeft(value, " \t")
	if !found || !bytes.EqualFold(kind, []byte(deviceType)) || bytes.ContainsAny(value, " \t") {
		return nil, false
	}
	id, ok = Base64(value, MaxDevice)
	return id, ok && len(id) > 0
}

// Base64 reads the standard or the URL-safe alphabet, up to limit decoded bytes.
// Padding may be missing. Apps encode lines of 76 characters and join them with
// blanks, because a header has one line, and some encode the result once more for
// a URL (%3D): neither makes another value of it.
func Base64(value []byte, limit int) ([]byte, bool) {
	value, ok := plainBase64(value)
	if !ok || base64.RawStdEncoding.DecodedLen(len(value)) > limit {
		return nil, false
	}
	encoding := base64.RawStdEncoding
	if bytes.ContainsAny(value, "-_") {
		encoding = base64.RawURLEncoding
	}
	decoded := make([]byte, encoding.DecodedLen(len(value)))
	n, err := encoding.Decode(decoded, value)
	return decoded[:n], err == nil
}

// plainBase64 undoes URL encoding and line breaks of Base64, and drops the padding. It
// copies only if necessary.
func plainBase64(value []byte) ([]byte, bool) {
	if bytes.IndexByte(value, '%') >= 0 {
		text, err := url.PathUnescape(string(value))
		if err != nil {
			return nil, false
		}
		value = []byte(text)
	}
	if bytes.ContainsAny(value, blanks) {
		value = bytes.Join(bytes.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(blanks, r) }), nil)
	}
	return bytes.TrimRight(value, "="), true
}

// blanks are what separates lines, and what became of that.
const blanks = " \t\r\n"

// CanonicalDevice is the device id that clients see: padded standard Base64.
func CanonicalDevice(id []byte) string { return base64.StdEncoding.EncodeToString(id) }
