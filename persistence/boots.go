package persistence

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Boot is one start of a node on its data directory.
type Boot struct {
	// Number counts the starts of the directory, from 1 on; 0: none.
	Number uint64
	// Incarnation is random. Two copies of a directory give their next starts
	// the same number; this tells them apart.
	Incarnation uint64
}

// Boots are the starts that a data directory remembers. The zero value has none.
type Boots struct {
	// Confirmed is the last start that the cluster is known to have registered.
	Confirmed Boot
	// Number is that of the current start.
	Number uint64
	// Incarnations are those of the starts since the confirmed one, at most
	// the latest 48, the current one last.
	Incarnations []uint64
}

const maxBoots = 48

// Last is the current start.
func (b Boots) Last() Boot {
	if len(b.Incarnations) == 0 {
		return b.Confirmed
	}
	return Boot{b.Number, b.Incarnations[len(b.Incarnations)-1]}
}

// Follow reports whether the directory was there at an earlier start of its
// node, or is at this very one. A copy from before that start was not, however
// often it was started itself.
func (b Boots) Follow(earlier Boot) bool {
	if earlier == b.Confirmed || earlier.Number < b.Confirmed.Number {
		return true // those that are confirmed follow each other
	}
	oldest := b.Number + 1 - uint64(len(b.Incarnations))
	if earlier.Number < oldest || earlier.Number > b.Number {
		return false
	}
	return b.Incarnations[earlier.Number-oldest] == earlier.Incarnation
}

// next has one start more.
func (b Boots) next(incarnation uint64) Boots {
	b.Number++
	b.Incarnations = append(slices.Clone(b.Incarnations), incarnation)
	b.Incarnations = b.Incarnations[max(0, len(b.Incarnations)-maxBoots):]
	return b
}

// confirmed has the current start as the confirmed one.
func (b Boots) confirmed() Boots { return Boots{Confirmed: b.Last(), Number: b.Number} }

// Append appends the starts as they are on the wire and on disk, integers big
// endian: number and incarnation of the confirmed one, number of the current one,
// how many follow in a byte, their incarnations.
func (b Boots) Append(to []byte) []byte {
	for _, n := range []uint64{b.Confirmed.Number, b.Confirmed.Incarnation, b.Number} {
		to = binary.BigEndian.AppendUint64(to, n)
	}
	to = append(to, byte(len(b.Incarnations)))
	for _, i := range b.Incarnations {
		to = binary.BigEndian.AppendUint64(to, i)
	}
	return to
}

// CutBoots reads what [Boots.Append] wrote and returns what is behind it.
func CutBoots(from []byte) (b Boots, rest []byte, err error) {
	const fixed = 3*8 + 1
	if len(from) < fixed || len(from) < fixed+8*int(from[fixed-1]) || from[fixed-1] > maxBoots {
		return b, nil, fmt.Errorf("%w: starts in %d bytes", ErrDamaged, len(from))
	}
	for _, n := range []*uint64{&b.Confirmed.Number, &b.Confirmed.Incarnation, &b.Number} {
		*n, from = binary.BigEndian.Uint64(from), from[8:]
	}
	n := int(from[0])
	for from = from[1:]; n > 0; n-- {
		b.Incarnations, from = append(b.Incarnations, binary.BigEndian.Uint64(from)), from[8:]
	}
	if b.Number < uint64(len(b.Incarnations)) {
		return Boots{}, nil, fmt.Errorf("%w: %d starts up to number %d", ErrDamaged, len(b.Incarnations), b.Number)
	}
	return b, from, nil
}
