package linkdirectory

import (
	"time"

	"ssod/cluster"
)

const (
	// attempts is how many candidates of one length are tried.
	attempts = 16
	// sparse: at most one in this many codes of a length may be live.
	sparse = 500
	// longer is the number of characters that a code grows when its length is too dense.
	longer = 2
	// maxAnswered bounds the reservations remembered. A repeat of one that is forgotten
	// early reserves another code; the first was not given out.
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

// reserve chooses a free code; nil when there is none. Until the commit is applied it is
// tentative: it is neither given out again nor resolvable.
func (d *directory) reserve(m *Reserve, by call, now time.Time) *reservation {
	d.meter.roll(now)
	d.meter.limit = hits(m.GetWrongHits())
	d.alphanumeric = m.GetAlphanumeric()
	limit := int(m.GetMaxLive())
	if d.live >= limit || len(d.codes) >= keepFactor*limit {
		return nil
	}
	c, ok := d.choose(m, by.request)
	if !ok {
		return nil
	}
	ms := now.UnixMilli()
	notAfter := ms + m.GetTtlMs()
	resolveUntil := notAfter + grace.Milliseconds()
	d.enter(c.hash, &entry{
		owner: string(m.GetOwner()), network: m.GetNetwork(), ttl: m.GetTtlMs(),
		resolveUntil: resolveUntil, keepUntil: max(notAfter+m.GetTtlMs(), resolveUntil),
		patterns: c.patterns, class: c.class, live: true, tentative: true,
	})
	r := &reservation{call: by, hash: c.hash, reply: &ReserveReply{
		CodeHash: c.hash[:],
		Attempt:  int32(c.attempt), Length: int32(c.class.length()), Alphanumeric: c.class.alphanumeric(),
		NotBeforeMs: ms, NotAfterMs: notAfter,
	}}
	d.reserved = append(d.reserved, r)
	return r
}

// repeated is the earlier answer to a reservation, unless its code was given up.
func (d *directory) repeated(by call) (*ReserveReply, bool) {
	reply, known := d.answered.find(by)
	if !known {
		return nil, false
	}
	e := d.codes[[HashSize]byte(reply.CodeHash)]
	return reply, e != nil && !e.retired
}

// candidate is a code without its text.
type candidate struct {
	attempt  int
	class    class
	hash     [HashSize]byte
	patterns patterns
}

// choose tries candidates of the wanted length and, where codes are too dense, the length
// is closed or none is found, longer ones: up to ten digits, then ten alphanumeric
// characters.
func (d *directory) choose(m *Reserve, request cluster.RequestID) (candidate, bool) {
	c := classOf(min(max(int(m.GetLength()), MinLength), MaxLength), m.GetAlphanumeric())
	for attempt := 0; ; attempt += attempts {
		if d.admits(c, m.GetNetwork()) {
			if found, ok := d.try(request, attempt, c); ok {
				return found, true
			}
		}
		switch {
		case c.length() < MaxLength:
			c = classOf(min(c.length()+longer, MaxLength), c.alphanumeric())
		case !c.alphanumeric():
			c = c.other()
		default:
			return candidate{}, false
		}
	}
}

// admits reports whether the network may have one more code of the class.
func (d *directory) admits(c class, network uint64) bool {
	allowance := d.allowance(c)
	live := d.byClass[c] + 1
	return live <= allowance && !d.crowds(network, c, allowance) && !d.meter.shut(c.length(), d.chance(c, live))
}

// try looks for a free candidate that is two positions away from every live code.
func (d *directory) try(request cluster.RequestID, first int, class class) (candidate, bool) {
	for attempt := first; attempt < first+attempts; attempt++ {
		code := d.derive.code(request, attempt, class.length(), class.alphabet())
		c := candidate{attempt: attempt, class: class, patterns: d.spacing.of(code)}
		if d.nearLive(c.patterns[:class.length()]) {
			continue
		}
		c.hash = d.derive.hash(code)
		if _, known := d.codes[c.hash]; !known {
			return c, true
		}
	}
	return candidate{}, false
}

// nearLive reports whether a live code differs in fewer than two positions from the text
// with these patterns.
func (d *directory) nearLive(patterns []uint32) bool {
	for _, p := range patterns {
		if d.taken.has(p) {
			return true
		}
	}
	return false
}
