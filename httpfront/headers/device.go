package headers

import (
	"bytes"
	"encoding/base64"

	"ssod/httpfront/api"
	"ssod/httpfront/wire"
)

const (
	// MaxDevice is the longest decoded device identifier; limits.md 3.
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

// ParseDevice reads "fingerprint" and Base64; headers.md 3.
func ParseDevice(header []byte) (id []byte, ok bool) {
	kind, value, found := bytes.Cut(bytes.Trim(header, " \t"), []byte{' '})
	if !found || !bytes.EqualFold(kind, []byte(deviceType)) {
		return nil, false
	}
	id, ok = Base64(bytes.TrimLeft(value, " \t"), MaxDevice)
	return id, ok && len(id) > 0
}

// Base64 reads the standard or the URL-safe alphabet, with or without
// padding, up to limit decoded bytes.
func Base64(value []byte, limit int) ([]byte, bool) {
	value = bytes.TrimRight(value, "=")
	if base64.RawStdEncoding.DecodedLen(len(value)) > limit {
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

// CanonicalDevice is the device id that clients see: padded standard Base64.
func CanonicalDevice(id []byte) string { return base64.StdEncoding.EncodeToString(id) }
