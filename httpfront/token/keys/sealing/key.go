package sealing

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
)

// KeySize is the length of all keys of this package in bytes.
const KeySize = 32

var (
	// ErrSealed: something does not open, because it was changed, or sealed to or
	// under another key.
	ErrSealed = errors.New("stored key does not open")
	// ErrNoCopy: no node has sealed a key in use to this one yet.
	ErrNoCopy = errors.New("no other node has sealed the key to this one yet")
)

// sealedVersion is the first byte of what [Key.Seal] returns: the number of the key,
// a random nonce and AES-256-GCM's ciphertext follow.
const sealedVersion = 2

// Key is a sealing key. It does not print.
type Key struct {
	number uint64
	secret []byte
	aead   cipher.AEAD
}

func newKey(number uint64, secret []byte) (*Key, error) {
	block, err := aes.NewCipher(secret)
	if err != nil || len(secret) != KeySize {
		return nil, fmt.Errorf("sealing key %d of %d bytes: %w", number, len(secret), ErrSealed)
	}
	aead, err := cipher.NewGCM(block)
	return &Key{number, secret, aead}, err
}

// randomKey makes a key of that number.
func randomKey(number uint64) (*Key, error) {
	secret := make([]byte, KeySize)
	rand.Read(secret) // never fails
	return newKey(number, secret)
}

// Number identifies the key.
func (k *Key) Number() uint64 { return k.number }

// String hides the key.
func (k *Key) String() string { return fmt.Sprintf("[sealing key %d]", k.number) }

// GoString hides the key.
func (k *Key) GoString() string { return k.String() }

// Seal encrypts secret so that it opens only with the same label.
func (k *Key) Seal(secret, label []byte) []byte {
	sealed := binary.AppendUvarint([]byte{sealedVersion}, k.number)
	nonce := make([]byte, k.aead.NonceSize())
	rand.Read(nonce) // never fails
	sealed = append(sealed, nonce...)
	return k.aead.Seal(sealed, nonce, secret, label)
}

// NumberOf is the number of the key that something is sealed under; false if it is
// not sealed.
func NumberOf(sealed []byte) (uint64, bool) {
	number, _, ok := split(sealed)
	return number, ok
}

func split(sealed []byte) (number uint64, rest []byte, ok bool) {
	if len(sealed) == 0 || sealed[0] != sealedVersion {
		return 0, nil, false
	}
	number, n := binary.Uvarint(sealed[1:])
	if n <= 0 {
		return 0, nil, false
	}
	return number, sealed[1+n:], true
}

// open opens what [Key.Seal] has returned, without what says which key it was.
func (k *Key) open(rest, label []byte) ([]byte, error) {
	n := k.aead.NonceSize()
	if len(rest) < n {
		return nil, ErrSealed
	}
	secret, err := k.aead.Open(nil, rest[:n], rest[n:], label)
	if err != nil {
		return nil, ErrSealed
	}
	return secret, nil
}

// Private is the private key of a node. It does not print.
type Private struct {
	key    hpke.PrivateKey
	public []byte
}

// ParsePrivate makes the private key of a node of 32 random bytes.
func ParsePrivate(b []byte) (*Private, error) {
	if len(b) != KeySize {
		return nil, fmt.Errorf("private key of %d bytes, want %d", len(b), KeySize)
	}
	key, err := kem().NewPrivateKey(b)
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	return &Private{key, key.PublicKey().Bytes()}, nil
}

// String hides the key.
func (*Private) String() string { return "[private key]" }

// GoString hides the key.
func (*Private) GoString() string { return "[private key]" }

func kem() hpke.KEM { return hpke.DHKEM(ecdh.X25519()) }

// copyInfo binds a copy to the cluster, the key's number and the node that it is
// for.
func copyInfo(cluster string, m Member, number uint64) []byte {
	info := []byte("ssod sealing key, version 1")
	info = AppendText(info, cluster)
	info = binary.BigEndian.AppendUint64(info, m.ID)
	info = AppendText(info, m.Name)
	return binary.BigEndian.AppendUint64(info, number)
}

// AppendText appends a text behind its length: no two lists of texts are alike.
func AppendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// copyFor seals the key to a node.
func (k *Key) copyFor(cluster string, m Member, public []byte) ([]byte, error) {
	to, err := kem().NewPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("public key of node %s: %w", m.Name, err)
	}
	sealed, err := hpke.Seal(to, hpke.HKDFSHA256(), hpke.AES256GCM(), copyInfo(cluster, m, k.number), k.secret)
	if err != nil {
		return nil, fmt.Errorf("seal a key to node %s: %w", m.Name, err)
	}
	return sealed, nil
}

// openCopy opens a key that was sealed to m, whose private key this is.
func (p *Private) openCopy(cluster string, m Member, number uint64, sealed []byte) (*Key, error) {
	secret, err := hpke.Open(p.key, hpke.HKDFSHA256(), hpke.AES256GCM(), copyInfo(cluster, m, number), sealed)
	if err != nil {
		return nil, fmt.Errorf("the copy of sealing key %d for node %s: %w", number, m.Name, ErrSealed)
	}
	return newKey(number, secret)
}
