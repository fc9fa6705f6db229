package linkdirectory

import (
	"bytes"
	"math/rand/v2"
	"time"

	"ssod/cluster"
)

// grace is how long a code can be resolved after it expired or was used: the profile
// tells repeats and lost races from failed guesses.
const grace = time.Minute

// keepFactor bounds all codes in memory, kept ones included, to a multiple of
// the live ones that the realm may have.
const keepFactor = 8

// directory is the state of one realm's directory, a plain state machine: its methods
// get the time as an argument and do no I/O.
type directory struct {
	key     []byte
	derive  *deriver
	spacing *spacer
	observe observer

	codes    map[[HashSize]byte]*entry
	taken    *patternSet // patterns of live codes
	live     int
	byClass  [classes]int // live codes
	held     [classes]int // and those kept from reuse
	networks map[uint64]*household
	finders  map[uint64]int // number of codes that a device found last
	due      due

	devices, addresses *windows
	meter              meter
	alphanumeric       bool // the last code asked for was
	alerts             alerts
	guesses            *memory[cluster.RequestID, *guess]
	answered           *memory[call, *ReserveReply]

	reserved []*reservation              // decided, in no batch yet
	gone     map[[HashSize]byte]struct{} // codes whose records are to be deleted
	retired  retirements
	unknown  string // fields of a later version in the head
}

// entry is one code that is live or kept.
type entry struct {
	owner        string // sealed
	unknown      string // fields of a later version
	network      uint64 // of the device that asked for it
	finder       uint64 // the device of another network that found it last; 0: none
	ttl          int64  // ms
	resolveUntil int64  // ms
	keepUntil    int64  // ms
	patterns     patterns
	class        class
	live         bool              // counts for density and spacing
	retired      bool              // used, replaced or cancelled
	tentative    bool              // its commit is not applied yet
	record       *retirementRecord // of its retirement; nil: none yet
}

// observer reports what operators watch.
type observer interface {
	guessFailed(own bool)
	lookupRefused()
	codesLive(n int)
	metered(expected, accepted hits, closed []int)
	halfUsed(expected, accepted hits)
	lengthsClosed(lengths []int, expected, accepted hits)
}

func newDirectory(key []byte, o observer) *directory {
	v := newDeriver(key)
	d := &directory{
		key: key, derive: v, spacing: newSpacer(v), observe: o,
		codes:    make(map[[HashSize]byte]*entry),
		networks: make(map[uint64]*household),
		finders:  make(map[uint64]int),
		taken:    newPatternSet(0),
		gone:     make(map[[HashSize]byte]struct{}),
		devices:  newWindows(maxWindows), addresses: newWindows(maxWindows),
		guesses:  newMemory[cluster.RequestID, *guess](maxGuesses),
		answered: newMemory[call, *ReserveReply](maxAnswered),
		meter:    meter{random: rand.Float64},
	}
	d.guesses.ended = func(g *guess) { d.end(g, false) }
	return d
}

// rekey derives codes under the current key from now on. Those of an earlier key count
// until they expire, but are not found: what is typed is hashed under the current key.
// A repeated reservation gets another code.
func (d *directory) rekey(key []byte) {
	if key == nil || bytes.Equal(key, d.key) {
		return
	}
	d.key, d.derive = key, newDeriver(key)
	d.spacing = newSpacer(d.derive)
	d.answered = newMemory[call, *ReserveReply](maxAnswered)
}

// enter adds a code and makes its next appointment.
func (d *directory) enter(hash [HashSize]byte, e *entry) {
	d.codes[hash] = e
	d.held[e.class]++
	if e.live {
		d.count(e)
		d.block(e)
	}
	d.due.push(appointment{e.next(), hash})
}

// count makes a live code count for density and its household, block for spacing.
func (d *directory) count(e *entry) {
	d.live++
	d.byClass[e.class]++
	d.join(e)
}

func (d *directory) block(e *entry) {
	for _, p := range e.patterns[:e.class.length()] {
		d.taken.add(p)
	}
}

// release ends both.
func (d *directory) release(e *entry) {
	if !e.live {
		return
	}
	e.live = false
	d.live--
	d.byClass[e.class]--
	d.leave(e)
	for _, p := range e.patterns[:e.class.length()] {
		d.taken.remove(p)
	}
	e.patterns = patterns{}
}

// next is when the code expires or is forgotten.
func (e *entry) next() int64 {
	if e.live {
		return e.resolveUntil
	}
	return e.keepUntil
}

// notBefore is when the code was reserved, in ms.
func (e *entry) notBefore() int64 { return e.resolveUntil - grace.Milliseconds() - e.ttl }

// owned reports whether the code leads to a profile.
func (e *entry) owned(now time.Time) bool {
	return !e.tentative && e.owner != "" && now.UnixMilli() < e.resolveUntil
}

// retire gives up a code. One that was used stays resolvable for a grace.
func (d *directory) retire(hash [HashSize]byte, used bool, now time.Time) (did bool) {
	e := d.codes[hash]
	if e == nil || e.retired {
		return false
	}
	d.release(e)
	r := retirement{hash: hash, at: now.UnixMilli(), used: used}
	e.retire(r)
	d.retired.add(r)
	return true
}

// retire changes the code itself.
func (e *entry) retire(r retirement) {
	e.retired = true
	e.keepUntil = r.at + e.ttl
	if r.used {
		e.resolveUntil = min(e.resolveUntil, r.at+grace.Milliseconds())
		e.keepUntil = max(e.keepUntil, e.resolveUntil)
	} else {
		e.resolveUntil, e.owner = r.at, ""
	}
}

// advance expires what is due, at most limit codes.
func (d *directory) advance(now time.Time, limit int) {
	ms := now.UnixMilli()
	for range limit {
		a, ok := d.due.pop(ms)
		if !ok {
			return
		}
		e := d.codes[a.hash]
		if e == nil { // its reservation was given up
			continue
		}
		if e.live && e.resolveUntil <= ms {
			d.release(e)
			e.owner = ""
		}
		if !e.live && e.keepUntil <= ms {
			d.remove(a.hash, e)
			d.gone[a.hash] = struct{}{}
			continue
		}
		d.due.push(appointment{e.next(), a.hash})
	}
}

// foundBy notes which device of another network found a code last; 0: none.
func (d *directory) foundBy(e *entry, device uint64) {
	if e.finder != 0 {
		if d.finders[e.finder]--; d.finders[e.finder] == 0 {
			delete(d.finders, e.finder)
		}
	}
	if e.finder = device; device != 0 {
		d.finders[device]++
	}
}

// remove forgets a code.
func (d *directory) remove(hash [HashSize]byte, e *entry) {
	d.foundBy(e, 0)
	delete(d.codes, hash)
	d.held[e.class]--
	d.retired.drop(e.record)
}

// empty reports whether there is nothing worth keeping in memory.
func (d *directory) empty() bool {
	return len(d.codes) == 0 && len(d.devices.byKey) == 0 && len(d.addresses.byKey) == 0 && !d.pending()
}
