package sso

import (
	"bytes"
	"encoding/base64"

	"ssod/httpfront/api"
	"ssod/httpfront/wire"
)

const (
	// maxDevice is the longest decoded device identifier; limits.md 3.
	maxDevice = 256
	// deviceType is the only type of identifier there is.
	deviceType = "fingerprint"
)

// device returns the decoded device identifier of a request; nil when the
// header is absent or blank.
func device(r *api.Request) ([]byte, error) {
	header := r.Header(wire.DeviceIdentifier)
	if len(header) == 0 {
		return nil, nil
	}
	id, ok := parseDevice(header)
	if !ok {
		return nil, api.ErrDevice
	}
	return id, nil
}

// parseDevice reads "fingerprint" and Base64; headers.md 3.
func parseDevice(header []byte) (id []byte, ok bool) {
	kind, value, found := bytes.Cut(bytes.Trim(header, " \t"), []byte{' '})
	if !found || !bytes.EqualFold(kind, []byte(deviceType)) {
		return nil, false
	}
	id, ok = decodeBase64(bytes.TrimLeft(value, " \t"), maxDevice)
	return id, ok && len(id) > 0
}

// decodeBase64 reads the standard or the URL-safe alphabet, with or without
// padding, up to limit decoded bytes.
func decodeBase64(value []byte, limit int) ([]byte, bool) {
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

// canonical is the device id that clients see: padded standard Base64.
func canonical(id []byte) string { return base64.StdEncoding.EncodeToString(id) }
