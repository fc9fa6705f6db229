package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
)

// SealingKeySize is the length of the key that all others are sealed under.
const SealingKeySize = 32

// sealedVersion is the first byte of what seal returns: AES-256-GCM with a
// random nonce before the ciphertext.
const sealedVersion = 1

// sealer keeps keys unreadable where they are stored and copied.
type sealer struct {
	aead cipher.AEAD
}

func newSealer(key []byte) (*sealer, error) {
	if len(key) != SealingKeySize {
		return nil, fmt.Errorf("sealing key of %d bytes, want %d", len(key), SealingKeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("sealing key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("sealing key: %w", err)
	}
	return &sealer{aead: aead}, nil
}

// seal encrypts secret so that it opens only beside the same label.
func (s *sealer) seal(secret, label []byte) []byte {
	nonce := make([]byte, s.aead.NonceSize())
	rand.Read(nonce) // never fails
	sealed := append([]byte{sealedVersion}, nonce...)
	return s.aead.Seal(sealed, nonce, secret, label)
}

func (s *sealer) open(sealed, label []byte) ([]byte, error) {
	n := s.aead.NonceSize()
	if len(sealed) < 1+n || sealed[0] != sealedVersion {
		return nil, ErrSealed
	}
	secret, err := s.aead.Open(nil, sealed[1:1+n], sealed[1+n:], label)
	if err != nil {
		return nil, ErrSealed
	}
	return secret, nil
}

// sealLabel binds a sealed key to its id and to everything about it that never
// changes, so that a record cannot be moved to another realm or use. The parts
// are length-prefixed: no two tuples have the same label.
func sealLabel(id string, r *Record) []byte {
	var label []byte
	for _, part := range []string{id, r.Use, r.Realm, r.Algorithm} {
		label = binary.AppendUvarint(label, uint64(len(part)))
		label = append(label, part...)
	}
	return label
}
