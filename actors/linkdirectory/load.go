package linkdirectory

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
)

// What can be wrong with a stored directory.
var (
	errSchema = errors.New("link directory has an unknown schema")
	errRecord = errors.New("link directory has a malformed record")
)

// load reads a stored directory.
func (d *directory) load(store cluster.Reader, e cluster.Entity, now time.Time) error {
	head, found, err := store.Head(e)
	if err != nil {
		return fmt.Errorf("read link directory: %w", err)
	}
	if !found {
		return nil
	}
	room, err := d.setHead(head, now)
	if err != nil {
		return err
	}
	l := loader{directory: d, now: now.UnixMilli()}
	err = store.Records(e, func(part, value []byte) bool {
		l.err = l.record(part, value)
		return l.err == nil
	})
	l.finish()
	d.doubt(room)
	return errors.Join(err, l.err)
}

// setHead returns the room of the meter, which counts as used up.
func (d *directory) setHead(h cluster.Head, now time.Time) (hits, error) {
	if h.Schema != schema {
		return 0, fmt.Errorf("%w: %d", errSchema, h.Schema)
	}
	var m State
	if err := proto.Unmarshal(h.State, &m); err != nil {
		return 0, fmt.Errorf("decode link directory: %w", err)
	}
	d.unknown = string(m.ProtoReflect().GetUnknown())
	if m.Meter == nil {
		m.Meter = &Meter{}
	}
	d.meter.load(m.Meter, now)
	return hits(m.Meter.Room), nil
}

// loader reads records one by one into the same messages, and makes the maps
// when their size is known: a realm can have hundreds of thousands of codes.
type loader struct {
	*directory
	now    int64 // ms
	err    error
	entry  Entry
	window Window
	found  []*entry // in the order of directory.due
	ended  []ended
	chunk  []entry
	lately []told // reservations that may be repeated
	latest int64  // ms
}

// ended is a retirement and the record that has it.
type ended struct {
	retirement
	record *retirementRecord
}

// told is a reservation as its code's record has it.
type told struct {
	call  call
	reply *ReserveReply
}

// finish makes the maps.
func (l *loader) finish() {
	l.codes = make(map[[HashSize]byte]*entry, len(l.found))
	for i, e := range l.found {
		l.codes[l.due[i].hash] = e
	}
	l.retire()
	l.cut()
	var taken []uint32
	for _, e := range l.found {
		l.held[e.class]++
		if e.live {
			l.count(e)
			taken = append(taken, e.patterns[:e.class.length()]...)
		}
	}
	l.taken = newPatternSet(len(taken))
	l.taken.addAll(taken)
	l.due.heapify()
	l.remember()
}

// retire gives up the codes whose retirement was read. A record may name a code that is
// gone, or whose number was given out again since.
func (l *loader) retire() {
	for _, r := range l.ended {
		e := l.codes[r.hash]
		if e == nil || e.retired || r.at < e.notBefore() {
			l.retired.drop(r.record)
			continue
		}
		e.live, e.patterns, e.record = false, patterns{}, r.record
		e.retire(r.retirement)
	}
}

// remember makes the latest reservations repeatable.
func (l *loader) remember() {
	slices.SortFunc(l.lately, func(a, b told) int { return cmp.Compare(a.reply.NotBeforeMs, b.reply.NotBeforeMs) })
	for _, t := range l.lately {
		l.answered.add(t.call, t.reply, t.reply.NotBeforeMs)
	}
}

// reserved notes the request that reserved a code, unless that was long before the latest.
func (l *loader) reserved(hash [HashSize]byte, m *Entry) {
	notAfter := m.ResolveUntilMs - grace.Milliseconds()
	at := notAfter - m.TtlMs
	if at > l.now {
		return
	}
	l.latest = max(l.latest, at)
	if len(m.Request) != len(cluster.RequestID{}) || at < l.latest-memoryLife.Milliseconds() {
		return
	}
	l.lately = append(l.lately, told{
		call{cluster.RequestID(m.Request), m.Step},
		&ReserveReply{CodeHash: hash[:], Attempt: m.Attempt, Length: m.Length, Alphanumeric: m.Alphanumeric, NotBeforeMs: at, NotAfterMs: notAfter},
	})
}

// next returns room for another code.
func (l *loader) next() *entry {
	if len(l.chunk) == 0 {
		l.chunk = make([]entry, 256)
	}
	e := &l.chunk[0]
	l.chunk = l.chunk[1:]
	return e
}

func (l *loader) record(part, value []byte) error {
	switch {
	case len(part) == 1+HashSize && part[0] == partCode:
		return l.code([HashSize]byte(part[1:]), value)
	case len(part) == 9 && part[0] == partDevice:
		return l.guesser(l.devices, part[1:], value)
	case len(part) == 9 && part[0] == partAddress:
		return l.guesser(l.addresses, part[1:], value)
	case len(part) == 9 && part[0] == partRetired:
		return l.retirements(part, value)
	default: // of a later version
		return nil
	}
}

func (l *loader) code(hash [HashSize]byte, value []byte) error {
	m := &l.entry
	if err := proto.Unmarshal(value, m); err != nil {
		return fmt.Errorf("decode link code: %w", err)
	}
	if m.Length < MinLength || m.Length > MaxLength {
		return fmt.Errorf("%w: code of length %d", errRecord, m.Length)
	}
	e := l.next()
	*e = entry{
		owner: string(m.Owner), unknown: string(m.ProtoReflect().GetUnknown()),
		network: m.Network, ttl: m.TtlMs, resolveUntil: m.ResolveUntilMs, keepUntil: m.KeepUntilMs,
		class: classOf(int(m.Length), m.Alphanumeric),
		live:  len(m.Patterns) == int(m.Length),
	}
	copy(e.patterns[:], m.Patterns)
	l.reserved(hash, m)
	l.found = append(l.found, e)
	l.due = append(l.due, appointment{e.next(), hash})
	return nil
}

// retirements keeps a record until all codes are read.
func (l *loader) retirements(part, value []byte) error {
	record := &retirementRecord{part: string(part)}
	l.retired.last = max(l.retired.last, binary.BigEndian.Uint64(part[1:]))
	return decodeRetirements(value, func(r retirement) {
		record.left++
		r.at = min(r.at, l.now)
		l.ended = append(l.ended, ended{r, record})
	})
}

func (l *loader) guesser(w *windows, key, value []byte) error {
	if err := proto.Unmarshal(value, &l.window); err != nil {
		return fmt.Errorf("decode guess window: %w", err)
	}
	x := w.put(&window{
		key: binary.BigEndian.Uint64(key), start: min(l.window.StartMs, l.now), failures: int(l.window.Failures),
		unknown: string(l.window.ProtoReflect().GetUnknown()),
	})
	w.stored[x.key] = struct{}{}
	return nil
}
