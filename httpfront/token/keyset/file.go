package keyset

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"slices"
	"strings"

	"ssod/cluster/secretfile"
)

// ReadFile reads a file of keys. One with private or symmetric keys in it must not
// be accessible to others.
func ReadFile(path string) ([]byte, error) {
	data, exposed, err := secretfile.ReadAny(path)
	if err != nil {
		return nil, err
	}
	if exposed != nil && secret(data) {
		return nil, exposed
	}
	return data, nil
}

// secret reports whether some key in a file is not public.
func secret(data []byte) bool {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return true
		}
	}
	type jwk struct{ D, K json.RawMessage } // RFC 7518, 6.2.2.1, 6.3.2.1 and 6.4.1
	var document struct {
		jwk
		Keys []json.RawMessage
	}
	if json.Unmarshal(bytes.TrimPrefix(data, []byte("\uFEFF")), &document) != nil {
		return false
	}
	hides := func(k jwk) bool { return k.D != nil || k.K != nil }
	return hides(document.jwk) || slices.ContainsFunc(document.Keys, func(raw json.RawMessage) bool {
		var k jwk
		return json.Unmarshal(raw, &k) == nil && hides(k)
	})
}
