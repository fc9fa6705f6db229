package httpfront

import (
	"crypto/rand"

	"ssod/cluster"
)

// idSource draws request ids. Randomness is fetched for many at once, because every request
// needs one and a system call is expensive.
type idSource struct {
	pool [64 * len(cluster.RequestID{})]byte
	left int
}

// next returns a UUID of version 4; RFC 9562, 5.4. No id is given twice.
func (s *idSource) next() (id cluster.RequestID) {
	if s.left == 0 {
		rand.Read(s.pool[:]) // never fails
		s.left = len(s.pool)
	}
	s.left -= len(id)
	copy(id[:], s.pool[s.left:])
	clear(s.pool[s.left : s.left+len(id)])
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}
