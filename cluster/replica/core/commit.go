package core

import (
	"encoding/binary"
	"fmt"

	"ssod/persistence"
)

const (
	flagRemove = 1
	flagForget = 2
)

// EncodeCommit encodes a commit for [Proposal]. Whoever commits does it on its
// own goroutine, so the loop only copies bytes.
//
//	kind | identity | baseRev | flags | schema | state |
//	n (part value)* | n part* | n (request[16] step result)*
func EncodeCommit(c *persistence.Commit) []byte {
	b := make([]byte, 0, commitSize(c))
	b = appendString(b, c.Entity.Kind)
	b = appendString(b, c.Entity.Identity)
	b = binary.AppendUvarint(b, c.BaseRev)
	var flags byte
	if c.Remove {
		flags |= flagRemove
	}
	if c.Forget {
		flags |= flagForget
	}
	b = append(b, flags)
	b = binary.AppendUvarint(b, uint64(c.Schema))
	b = appendBytes(b, c.State)
	b = appendRecords(b, c)
	b = binary.AppendUvarint(b, uint64(len(c.Outcomes)))
	for i := range c.Outcomes {
		o := &c.Outcomes[i]
		b = append(b, o.Request[:]...)
		b = binary.AppendUvarint(b, uint64(o.Step))
		b = appendBytes(b, o.Result)
	}
	return b
}

func appendRecords(b []byte, c *persistence.Commit) []byte {
	b = binary.AppendUvarint(b, uint64(len(c.Puts)))
	for _, r := range c.Puts {
		b = appendString(b, r.Part)
		b = appendBytes(b, r.Value)
	}
	b = binary.AppendUvarint(b, uint64(len(c.Deletes)))
	for _, part := range c.Deletes {
		b = appendString(b, part)
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
	return n
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
	if flags&^(flagRemove|flagForget) != 0 {
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
