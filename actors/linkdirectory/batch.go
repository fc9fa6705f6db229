package linkdirectory

import (
	"encoding/binary"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
)

// schema is the version of the head and of the records.
const schema = 1

// maxBatch bounds how many records one commit writes for each sort.
const maxBatch = 2048

// The first byte of a record's part says what it is.
const (
	partCode    = 'c'
	partDevice  = 'd'
	partAddress = 'a'
	partRetired = 'r'
)

// batch is one commit being made durable, and what follows when it is.
type batch struct {
	commit       cluster.Commit
	reservations []*reservation
	retirements  []retirement
	over         []string // parts of retirements that are deleted
	hour         int64    // the running slot of the meter
	room         hits     // that the commit grants it
}

// pending reports whether there is something to write.
func (d *directory) pending() bool {
	return len(d.gone) > 0 || d.retired.pending() || len(d.devices.changed) > 0 || len(d.addresses.changed) > 0 || d.meter.unwritten()
}

// batch takes what changed since the last one. All reservations decided so far
// are in it; other records wait for the next when there are very many.
func (d *directory) batch() *batch {
	b := &batch{reservations: d.reserved}
	d.reserved = nil
	for _, r := range b.reservations {
		d.writeReserved(b, r)
	}
	d.writeGone(b)
	d.writeRetired(b)
	d.devices.write(b, partDevice)
	d.addresses.write(b, partAddress)
	b.hour, b.room = d.meter.hour, d.meter.begin()
	b.commit.Schema, b.commit.State = schema, encode(d.head(b.room))
	return b
}

// writeReserved puts the record of a new code. It holds the outcome of the reservation
// too, which so needs no record of its own.
func (d *directory) writeReserved(b *batch, r *reservation) {
	e := d.codes[r.hash]
	if e == nil { // expired before it was given out
		return
	}
	m := e.message()
	m.Request, m.Step, m.Attempt = r.call.request[:], r.call.step, r.reply.Attempt
	b.commit.Puts = append(b.commit.Puts, cluster.Record{Part: codePart(r.hash), Value: encode(m)})
}

// writeGone deletes the records of codes that are not kept any more.
func (d *directory) writeGone(b *batch) {
	for hash := range d.gone {
		if len(b.commit.Puts)+len(b.commit.Deletes) >= maxBatch {
			return
		}
		delete(d.gone, hash)
		if d.codes[hash] == nil { // not given out again
			b.commit.Deletes = append(b.commit.Deletes, codePart(hash))
		}
	}
}

func codePart(hash [HashSize]byte) string { return string(partCode) + string(hash[:]) }

// encode encodes a message of numbers and bytes, which never fails.
func encode(m proto.Message) []byte {
	encoded, err := proto.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("linkdirectory: encode %s: %v", m.ProtoReflect().Descriptor().Name(), err))
	}
	return encoded
}

// applied makes the codes of a batch resolvable and their reservations
// repeatable, and gives the meter its room.
func (d *directory) applied(b *batch, now time.Time) {
	d.meter.granted(b.hour, b.room, now)
	for _, r := range b.reservations {
		d.answered.add(r.call, r.reply, r.reply.NotBeforeMs)
		if e := d.codes[r.hash]; e != nil {
			e.tentative = false
		}
	}
}

// refused undoes a batch that was certainly not written: its reservations are given up,
// and everything else is written with a later batch.
func (d *directory) refused(b *batch) {
	for _, r := range b.reservations {
		if e := d.codes[r.hash]; e != nil && e.tentative {
			d.release(e)
			d.remove(r.hash, e)
		}
	}
	d.retired.putBack(b)
	for _, put := range b.commit.Puts {
		d.putBack(put.Part)
	}
	for _, part := range b.commit.Deletes {
		d.putBack(part)
	}
}

// putBack marks a record as changed again.
func (d *directory) putBack(part string) {
	switch part[0] {
	case partCode:
		d.gone[[HashSize]byte([]byte(part[1:]))] = struct{}{}
	case partDevice:
		d.devices.putBack(part[1:])
	case partAddress:
		d.addresses.putBack(part[1:])
	}
}

func (w *windows) putBack(encoded string) {
	key := binary.BigEndian.Uint64([]byte(encoded))
	w.changed[key] = struct{}{}
	w.stored[key] = struct{}{} // at worst a record is deleted that does not exist
}

// write puts or deletes the records of the windows that changed.
func (w *windows) write(b *batch, sort byte) {
	n := 0
	for key := range w.changed {
		if n++; n > maxBatch {
			return
		}
		delete(w.changed, key)
		part := string(binary.BigEndian.AppendUint64([]byte{sort}, key))
		x := w.written(key)
		if x == nil {
			if _, stored := w.stored[key]; stored {
				delete(w.stored, key)
				b.commit.Deletes = append(b.commit.Deletes, part)
			}
			continue
		}
		w.stored[key] = struct{}{}
		m := &Window{StartMs: x.start, Failures: int32(x.failures - x.open)}
		setUnknown(m, x.unknown)
		b.commit.Puts = append(b.commit.Puts, cluster.Record{Part: part, Value: encode(m)})
	}
}

// written is the window for a guesser's record; nil for no record.
func (w *windows) written(key uint64) *window {
	at, ok := w.byKey[key]
	if !ok || at.Value.(*window).failures == at.Value.(*window).open {
		return nil
	}
	return at.Value.(*window)
}

// head is the head record.
func (d *directory) head(room hits) *State {
	m := &State{Meter: d.meter.message(room)}
	setUnknown(m, d.unknown)
	return m
}

func (e *entry) message() *Entry {
	m := &Entry{
		Owner: []byte(e.owner), TtlMs: e.ttl,
		ResolveUntilMs: e.resolveUntil, KeepUntilMs: e.keepUntil,
		Length: int32(e.class.length()), Alphanumeric: e.class.alphanumeric(), Network: e.network,
	}
	if e.live {
		m.Patterns = e.patterns[:e.class.length()]
	}
	setUnknown(m, e.unknown)
	return m
}

// setUnknown keeps what a later version wrote.
func setUnknown(m proto.Message, unknown string) {
	if unknown != "" {
		m.ProtoReflect().SetUnknown([]byte(unknown))
	}
}
