package linkdirectory

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"strings"

	"ssod/actors/typedcode"
	"ssod/cluster"
)

// Alphabet is the set of characters of a realm's link codes.
type Alphabet string

// The two alphabets of httpfront/docs/sso.md#link-codes; Alphanumeric leaves out what is
// easily mistaken for something else.
const (
	Digits       Alphabet = "0123456789"
	Alphanumeric Alphabet = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
)

// AlphabetNamed is the alphabet that the configuration calls by this name;
// every name but "alphanumeric" means digits.
func AlphabetNamed(name string) Alphabet {
	if name == "alphanumeric" {
		return Alphanumeric
	}
	return Digits
}

// MinLength and MaxLength bound the length of a code.
const (
	MinLength = 4
	MaxLength = 10
)

// HashSize is the length of a code's hash: HMAC-SHA-256 cut to 128 bits.
const HashSize = 16

// Normalise brings what a viewer typed into the form that is looked up, and reports
// whether the result can be a code.
func Normalise(typed string) (code string, wellFormed bool) {
	code = typedcode.Canonical(typed)
	return code, wellFormedCode(code)
}

// spells reports whether a text can be written in the alphabet.
func (a Alphabet) spells(text string) bool { return strings.TrimLeft(text, string(a)) == "" }

func wellFormedCode(code string) bool {
	if len(code) < MinLength || len(code) > MaxLength {
		return false
	}
	for _, c := range []byte(code) {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// deriver computes a realm's keyed digests. It is not safe for concurrent use.
type deriver struct {
	mac hash.Hash
	sum [sha256.Size]byte
	in  [64]byte
}

func newDeriver(key []byte) *deriver {
	return &deriver{mac: hmac.New(sha256.New, key)}
}

// digest is HMAC-SHA-256 over a purpose, which keeps the uses of the realm's
// key apart, and a message. The result is valid until the next call.
func (d *deriver) digest(purpose byte, message []byte) []byte {
	d.mac.Reset()
	d.in[63] = purpose
	d.mac.Write(d.in[63:])
	d.mac.Write(message)
	return d.mac.Sum(d.sum[:0])
}

const (
	purposeCode    = 'c'
	purposeHash    = 'h'
	purposePattern = 'p'
	purposeDevice  = 'd'
	purposeAddress = 'a'
	purposeNetwork = 'n'
)

// code derives the candidate code of one attempt of a request. All randomness is in the
// request id and the realm's key, so the directory and the node that answers the client
// find the same code, which is never sent or stored. Characters are drawn without bias:
// a byte that would favour the first of the alphabet is skipped, and the next digest
// follows one that runs out.
func (d *deriver) code(request cluster.RequestID, attempt, length int, alphabet Alphabet) string {
	var seed [len(request) + 12]byte
	copy(seed[:], request[:])
	binary.BigEndian.PutUint32(seed[16:], uint32(attempt))
	binary.BigEndian.PutUint32(seed[20:], uint32(length))
	fair := byte(256 - 256%len(alphabet))
	code := make([]byte, 0, MaxLength)
	for block := uint32(0); ; block++ {
		binary.BigEndian.PutUint32(seed[24:], block)
		for _, b := range d.digest(purposeCode, seed[:]) {
			if len(code) == length {
				return string(code)
			}
			if b < fair {
				code = append(code, alphabet[int(b)%len(alphabet)])
			}
		}
	}
}

// hash is what stands for a code everywhere but on a screen.
func (d *deriver) hash(normalised string) [HashSize]byte {
	n := copy(d.in[:32], normalised)
	return [HashSize]byte(d.digest(purposeHash, d.in[:n]))
}

// key digests what names a guesser.
func (d *deriver) key(purpose byte, name []byte) uint64 {
	return binary.BigEndian.Uint64(d.digest(purpose, name))
}
