package linkdirectory

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
)

const purposeOwner = 'o'

// errOwner: the name of a code's profile was not sealed under the realm's key.
var errOwner = errors.New("the owner of a link code cannot be read")

// newOwners seals names of profiles for the directory, which need not know them and keeps
// records of codes for longer than a viewer may want to be remembered.
func newOwners(d *deriver) cipher.AEAD {
	block, err := aes.NewCipher(d.digest(purposeOwner, nil))
	if err != nil {
		panic(err) // 32 bytes
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // the cipher is of crypto/aes
	}
	return aead
}

// seal encodes and seals a profile's name.
func (c *coder) seal(namespace, subject string) []byte {
	name := binary.AppendUvarint(make([]byte, 0, 2+len(namespace)+len(subject)), uint64(len(namespace)))
	name = append(append(name, namespace...), subject...)
	return c.owners.Seal(nil, nil, name, nil)
}

// open is the inverse of seal.
func (c *coder) open(sealed []byte) (namespace, subject string, err error) {
	name, err := c.owners.Open(nil, nil, sealed, nil)
	if err != nil {
		return "", "", fmt.Errorf("%w: %w", errOwner, err)
	}
	n, used := binary.Uvarint(name)
	if used <= 0 || n > uint64(len(name)-used) {
		return "", "", errOwner
	}
	name = name[used:]
	return string(name[:n]), string(name[n:]), nil
}
