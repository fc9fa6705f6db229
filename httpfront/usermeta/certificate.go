package usermeta

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// minBits is the shortest key that is accepted; NIST SP 800-131A.
const minBits = 2048

// maxFile bounds a certificate file in bytes.
const maxFile = 64 << 10

// ReadCertificate reads the first certificate of a PEM file. Its key must be RSA, of at
// least 2048 bits. Whether it has expired is for the caller to judge.
func ReadCertificate(path string) (*x509.Certificate, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s is larger than %d KiB", path, maxFile>>10)
	}
	block, _ := pem.Decode(bytes.TrimSpace(data))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("%s has no certificate in PEM", path)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	key, ok := certificate.PublicKey.(*rsa.PublicKey)
	switch {
	case !ok:
		return nil, fmt.Errorf("%s: the key is not RSA", path)
	case key.N.BitLen() < minBits:
		return nil, fmt.Errorf("%s: the key has %d bits, fewer than %d", path, key.N.BitLen(), minBits)
	}
	return certificate, nil
}

// Check is [ReadCertificate] for a configuration: an expired certificate is a warning, since
// its key still opens what is encrypted to it.
func Check(path string) (warning string, err error) {
	certificate, err := ReadCertificate(path)
	if err == nil && time.Now().After(certificate.NotAfter) {
		warning = "the certificate has expired on " + certificate.NotAfter.UTC().Format(time.DateOnly)
	}
	return warning, err
}

// ErrNone says that a service provider has no certificate.
var ErrNone = errors.New("no certificate for encrypted user metadata")

// Sealer encrypts to certificates in files, which it reads again when they change. Its zero
// value is ready. It is safe for concurrent use.
type Sealer struct {
	mu     sync.Mutex
	byPath map[string]sealed
}

// sealed is a file as it was read.
type sealed struct {
	changed   time.Time
	encrypter jose.Encrypter
}

// Seal encrypts a value to the certificate in a file. It fails with [ErrNone] if path is
// empty.
func (s *Sealer) Seal(path string, value []byte) (string, error) {
	if path == "" {
		return "", ErrNone
	}
	e, err := s.encrypter(path)
	if err != nil {
		return "", err
	}
	object, err := e.Encrypt(value)
	if err != nil {
		return "", fmt.Errorf("encrypt to %s: %w", path, err)
	}
	return object.CompactSerialize()
}

func (s *Sealer) encrypter(path string) (jose.Encrypter, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.byPath[path]; ok && known.changed.Equal(info.ModTime()) {
		return known.encrypter, nil
	}
	certificate, err := ReadCertificate(path)
	if err != nil {
		return nil, err
	}
	e, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.RSA_OAEP_256, Key: certificate.PublicKey}, nil)
	if err != nil {
		return nil, err
	}
	if s.byPath == nil {
		s.byPath = make(map[string]sealed)
	}
	s.byPath[path] = sealed{info.ModTime(), e}
	return e, nil
}
