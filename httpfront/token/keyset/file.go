package keyset

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ssod/cluster/secretfile"
	"ssod/httpfront/token/jose"
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

// Read reads the key file that a configuration names: a JWK set, or one public key or
// certificate in PEM, which gets the id kid. Without a file there is no key.
func Read(jwksFile, pemFile, kid string, w Wanted) (s Set, err error) {
	path := cmp.Or(pemFile, jwksFile)
	if path == "" {
		return Set{}, nil
	}
	data, err := ReadFile(path)
	if err != nil {
		return Set{}, err
	}
	if pemFile != "" {
		s, err = parsePEM(data, kid, &w)
	} else {
		s, err = Parse(data, w)
	}
	if err != nil {
		return Set{}, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// parsePEM reads one public key or certificate.
func parsePEM(data []byte, kid string, w *Wanted) (s Set, err error) {
	block, rest := pem.Decode(data)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return s, errors.New("not one PEM block")
	}
	public, err := parsePublic(block)
	if err != nil {
		return s, fmt.Errorf("PEM block %q: %w", block.Type, err)
	}
	key := jose.Key{ID: kid, Material: public}
	switch m := public.(type) {
	case *rsa.PublicKey:
		key.Algorithm, err = jose.RS256, CheckRSA(m)
	case *ecdsa.PublicKey:
		if key.Algorithm = jose.ES256; m.Curve != elliptic.P256() {
			err = errors.New("not on the curve P-256")
		}
	}
	if err == nil && !slices.Contains(w.Algorithms, key.Algorithm) {
		err = fmt.Errorf("a %T is no key of %s", public, strings.Join(w.Algorithms, ", "))
	}
	return Set{Keys: []jose.Key{key}}, err
}

func parsePublic(block *pem.Block) (any, error) {
	switch block.Type {
	case "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		return x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		return certificate.PublicKey, nil
	}
	return nil, errors.New("want a public key or a certificate")
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
