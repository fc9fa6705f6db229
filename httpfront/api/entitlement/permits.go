package entitlement

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"
)

// permitKey is what an MVPD permitted: a resource of a channel, under one login.
type permitKey struct {
	login           [16]byte
	serviceProvider string
	resource        string
	informs         bool // by a preauthorization, which permits no playing
}

// digest is how a key is kept: resources are as long as an app likes.
func (k *permitKey) digest() [sha256.Size]byte {
	var room [512]byte
	b := append(room[:0], k.login[:]...)
	if k.informs {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	b = append(binary.AppendUvarint(b, uint64(len(k.serviceProvider))), k.serviceProvider...)
	return sha256.Sum256(append(b, k.resource...))
}

// permit is for how long.
type permit struct{ notBefore, notAfter time.Time }

// keptPermit is a permit in milliseconds.
type keptPermit struct{ notBefore, notAfter int64 }

// permitSize is what one permit takes of memory at most, in bytes: 48 of its own
// and one of the map's, in a map that is 7/16 full after it has grown, with
// something over for the map itself.
const permitSize = 128

// permits remembers permits until they expire, within a number of bytes. It has two
// generations: when the younger is full the older is dropped. A permit is valid only with
// its login, so nothing is removed when a login ends.
type permits struct {
	mu         sync.Mutex
	young, old map[[sha256.Size]byte]keptPermit
	most       int // of one generation
}

func newPermits(bytes int) *permits {
	return &permits{young: make(map[[sha256.Size]byte]keptPermit), most: max(1, bytes/permitSize/2)}
}

// get finds a permit that is good now.
func (p *permits) get(k permitKey, now time.Time) (permit, bool) {
	sum := k.digest()
	p.mu.Lock()
	defer p.mu.Unlock()
	found, ok := p.young[sum]
	if !ok {
		found, ok = p.old[sum]
	}
	until := permit{time.UnixMilli(found.notBefore), time.UnixMilli(found.notAfter)}
	return until, ok && now.Before(until.notAfter)
}

// put remembers a permit.
func (p *permits) put(k permitKey, until permit) {
	sum := k.digest()
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, again := p.young[sum]; !again && len(p.young) >= p.most {
		p.young, p.old = make(map[[sha256.Size]byte]keptPermit), p.young
	}
	p.young[sum] = keptPermit{until.notBefore.UnixMilli(), until.notAfter.UnixMilli()}
}
