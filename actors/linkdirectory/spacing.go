package linkdirectory

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
)

// Two codes of length L differ in fewer than two positions exactly when they
// are equal with one position masked, so they then share one of L patterns.
// Patterns are digested under the realm's key: what is stored does not help to
// find a code. A digest of 32 bits is enough, because a pattern that is taken
// by accident costs a candidate and nothing else.

// patterns are the digests of a code's masked patterns; the first length of
// them are used.
type patterns [MaxLength]uint32

// spacer digests patterns. A pattern fits one block, so one encryption of a
// block is a keyed digest of it.
type spacer struct {
	block   cipher.Block
	in, out [aes.BlockSize]byte
}

func newSpacer(d *deriver) *spacer {
	block, err := aes.NewCipher(d.digest(purposePattern, nil))
	if err != nil { // the key has 32 bytes whatever the realm's key is
		panic(fmt.Sprintf("linkdirectory: pattern key: %v", err))
	}
	return &spacer{block: block}
}

// of digests the patterns of a code of at most MaxLength characters.
func (s *spacer) of(code string) (p patterns) {
	clear(s.in[:])
	copy(s.in[:], code)
	s.in[MaxLength] = byte(len(code))
	for i := range len(code) {
		s.in[i], s.in[MaxLength+1] = 0, byte(i)
		s.block.Encrypt(s.out[:], s.in[:])
		p[i] = binary.BigEndian.Uint32(s.out[:])
		s.in[i] = code[i]
	}
	return p
}
