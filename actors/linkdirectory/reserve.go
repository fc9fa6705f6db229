package linkdirectory

import (
	"time"

	"ssod/cluster"
)

const (
	// attempts is how many candidates of one length are tried.
	attempts = 16
	// sparse: live codes may be one in so many of all codes of their length.
	sparse = 500
	// longer is by how much a code grows when its length is too dense.
	longer = 2
	// maxAnswered bounds the reservations remembered. A repeat of one that is
	// forgotten early reserves another code; nobody was told of the first.
	maxAnswered = 1 << 16
)

// reservation is a code that was decided and waits for its commit.
type reservation struct {
	call  call
	hash  [HashSize]byte
	reply *ReserveReply
}

// call identifies a command among all.
type call struct {
	request cluster.RequestID
	step    uint32
}

// reserve chooses a free code; nil when there is none. Until the commit is
// applied it is tentative: nobody else gets it and nobody can resolve it.
func (d *directory) reserve(m *Reserve, by call, now time.Time) *reservation {
	limit := int(m.GetMaxLive())
	if d.live >= limit || len(d.codes) >= keepFactor*limit {
		return nil
	}
	c, ok := d.choose(m, by.request, now)
	if !ok {
		return nil
	}
	ms := now.UnixMilli()
	notAfter := ms + m.GetTtlMs()
	resolveUntil := notAfter + grace.Milliseconds()
	d.enter(c.hash, &entry{
		namespace: string(m.GetNamespace()), subject: string(m.GetSubject()), network: m.GetNetwork(), ttl: m.GetTtlMs(),
		resolveUntil: resolveUntil, keepUntil: max(notAfter+m.GetTtlMs(), resolveUntil),
		patterns: c.patterns, length: uint8(c.length), live: true, tentative: true,
	})
	r := &reservation{call: by, hash: c.hash, reply: &ReserveReply{
		Attempt: int32(c.attempt), Length: int32(c.length), NotBeforeMs: ms, NotAfterMs: notAfter,
	}}
	d.reserved = append(d.reserved, r)
	return r
}

// candidate is a code without the code.
type candidate struct {
	attempt, length int
	hash            [HashSize]byte
	patterns        patterns
}

// choose tries candidates of the wanted length and, where codes are too dense
// or none is found, of longer ones.
func (d *directory) choose(m *Reserve, request cluster.RequestID, now time.Time) (candidate, bool) {
	alphabet := Digits
	if m.GetAlphanumeric() {
		alphabet = Alphanumeric
	}
	length := min(max(int(m.GetLength()), MinLength), MaxLength)
	if _, closed := d.realm.closed(now); closed {
		length = LongLength
	}
	for attempt := 0; ; attempt += attempts {
		if !d.dense(length, alphabet) {
			if c, ok := d.try(request, attempt, length, alphabet); ok {
				return c, true
			}
		}
		if length == MaxLength {
			return candidate{}, false
		}
		length = min(length+longer, MaxLength)
	}
}

// dense reports whether one more code would make this length too dense.
func (d *directory) dense(length int, alphabet Alphabet) bool {
	space := 1
	for range length {
		space *= len(alphabet)
	}
	return (d.byLength[length]+1)*sparse > space
}

// try looks for a candidate that nobody has and that is two positions away
// from every live code.
func (d *directory) try(request cluster.RequestID, first, length int, alphabet Alphabet) (candidate, bool) {
	for attempt := first; attempt < first+attempts; attempt++ {
		code := d.derive.code(request, attempt, length, alphabet)
		c := candidate{attempt: attempt, length: length, patterns: d.spacing.of(code)}
		if d.near(c) {
			continue
		}
		c.hash = d.derive.hash(code)
		if _, known := d.codes[c.hash]; !known {
			return c, true
		}
	}
	return candidate{}, false
}

// near reports whether a live code differs in fewer than two positions.
func (d *directory) near(c candidate) bool {
	for _, p := range c.patterns[:c.length] {
		if d.taken.has(p) {
			return true
		}
	}
	return false
}
