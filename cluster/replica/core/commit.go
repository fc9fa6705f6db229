package core

import (
	"encoding/binary"
	"fmt"
	"slices"

	"ssod/persistence"
)

const (
	flagRemove = 1
	flagForget = 2
	flagEvents = 4 // events and marks follow
)

// eventful reports whether a commit can only be in an entry of [eventsVersion].
func eventful(c *persistence.Commit) bool { return len(c.Events)+len(c.Marks) > 0 }

// EncodeCommit is the first result of [Encode].
func EncodeCommit(c *persistence.Commit) []byte {
	b, _ := Encode(c)
	return b
}

// Encode encodes a commit for [Proposal] and returns a copy of it that shares the
// encoding's memory. Callers encode on their own goroutine; the core's only copies
// bytes.
//
//	kind | identity | baseRev | flags | schema | state |
//	n (part value)* | n part* | n (request[16] step result)*
//
// and with a flag n (receiver[8] body)* | n (key fate body)*.
func Encode(c *persistence.Commit) ([]byte, *persistence.Commit) {
	own := *c
	b := make([]byte, 0, commitSize(c))
	b = appendBytes(b, c.Entity.Kind)
	b = appendBytes(b, c.Entity.Identity)
	b = binary.AppendUvarint(b, c.BaseRev)
	var flags byte
	if c.Remove {
		flags |= flagRemove
	}
	if c.Forget {
		flags |= flagForget
	}
	if eventful(c) {
		flags |= flagEvents
	}
	b = append(b, flags)
	b = binary.AppendUvarint(b, uint64(c.Schema))
	b, own.State = keepBytes(b, c.State)
	b = appendRecords(b, &own)
	b = binary.AppendUvarint(b, uint64(len(c.Outcomes)))
	own.Outcomes = slices.Clone(c.Outcomes)
	for i := range own.Outcomes {
		o := &own.Outcomes[i]
		b = append(b, o.Request[:]...)
		b = binary.AppendUvarint(b, uint64(o.Step))
		b, o.Result = keepBytes(b, o.Result)
	}
	if eventful(c) {
		b = appendEvents(b, &own)
	}
	return b, &own
}

// keepBytes is appendBytes; it returns where v is now as well.
func keepBytes(b, v []byte) (longer, kept []byte) {
	b = appendBytes(b, v)
	if len(v) == 0 {
		return b, nil
	}
	return b, b[len(b)-len(v) : len(b) : len(b)]
}

// appendRecords encodes the records of a commit, which share b afterwards.
func appendRecords(b []byte, c *persistence.Commit) []byte {
	c.Puts, c.Deletes = slices.Clone(c.Puts), slices.Clone(c.Deletes)
	b = binary.AppendUvarint(b, uint64(len(c.Puts)))
	for i := range c.Puts {
		b = appendBytes(b, c.Puts[i].Part)
		b, c.Puts[i].Value = keepBytes(b, c.Puts[i].Value)
	}
	b = binary.AppendUvarint(b, uint64(len(c.Deletes)))
	for _, part := range c.Deletes {
		b = appendBytes(b, part)
	}
	return b
}

func commitSize(c *persistence.Commit) int {
	n := 64 + len(c.Entity.Kind) + len(c.Entity.Identity) + len(c.State)
	for _, r := range c.Puts {
		n += len(r.Part) + len(r.Value) + 8
	}
	for _, part := range c.Deletes {
		n += len(part) + 4
	}
	for i := range c.Outcomes {
		n += len(c.Outcomes[i].Result) + 32
	}
	for i := range c.Events {
		n += len(c.Events[i].Body) + 16
	}
	for i := range c.Marks {
		n += len(c.Marks[i].Key) + len(c.Marks[i].Body) + 8
	}
	return n
}

// appendEvents encodes the events and marks of a commit, which share b afterwards.
func appendEvents(b []byte, c *persistence.Commit) []byte {
	c.Events, c.Marks = slices.Clone(c.Events), slices.Clone(c.Marks)
	b = binary.AppendUvarint(b, uint64(len(c.Events)))
	for i := range c.Events {
		b = binary.BigEndian.AppendUint64(b, c.Events[i].Receiver)
		b, c.Events[i].Body = keepBytes(b, c.Events[i].Body)
	}
	b = binary.AppendUvarint(b, uint64(len(c.Marks)))
	for i := range c.Marks {
		b = appendBytes(b, string(c.Marks[i].Key))
		b = append(b, byte(c.Marks[i].Fate))
		b, c.Marks[i].Body = keepBytes(b, c.Marks[i].Body)
	}
	return b
}

func decodeEvents(d *decoder, c *persistence.Commit) {
	for n := d.count(); n > 0 && !d.bad; n-- {
		var e persistence.Event
		if receiver := d.take(8); receiver != nil {
			e.Receiver = binary.BigEndian.Uint64(receiver)
		}
		e.Body = d.bytes()
		c.Events = append(c.Events, e)
	}
	for n := d.count(); n > 0 && !d.bad; n-- {
		c.Marks = append(c.Marks, persistence.Mark{
			Key: persistence.EventKey(d.string()), Fate: persistence.Fate(d.byte()), Body: d.bytes(),
		})
	}
	if !eventful(c) { // it would have another encoding
		d.fail()
	}
}

// DecodeCommit decodes what [EncodeCommit] made. The commit shares b.
func DecodeCommit(b []byte) (persistence.Commit, error) {
	d := decoder{rest: b}
	var c persistence.Commit
	c.Entity.Kind = d.string()
	c.Entity.Identity = d.string()
	c.BaseRev = d.uvarint()
	flags := d.byte()
	c.Remove, c.Forget = flags&flagRemove != 0, flags&flagForget != 0
	if flags&^(flagRemove|flagForget|flagEvents) != 0 {
		d.fail()
	}
	c.Schema = d.uint32()
	c.State = d.bytes()
	decodeRecords(&d, &c)
	n := d.count()
	if n > 0 {
		c.Outcomes = make([]persistence.Outcome, 0, min(n, maxRoom))
	}
	for ; n > 0 && !d.bad; n-- {
		var o persistence.Outcome
		copy(o.Request[:], d.take(uint64(len(o.Request))))
		o.Step = d.uint32()
		o.Result = d.bytes()
		c.Outcomes = append(c.Outcomes, o)
	}
	if flags&flagEvents != 0 {
		decodeEvents(&d, &c)
	}
	if err := d.end(); err != nil {
		return persistence.Commit{}, fmt.Errorf("commit: %w", err)
	}
	return c, nil
}

func decodeRecords(d *decoder, c *persistence.Commit) {
	for n := d.count(); n > 0 && !d.bad; n-- {
		c.Puts = append(c.Puts, persistence.Record{Part: d.string(), Value: d.bytes()})
	}
	for n := d.count(); n > 0 && !d.bad; n-- {
		c.Deletes = append(c.Deletes, d.string())
	}
}
