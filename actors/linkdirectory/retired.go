package linkdirectory

import (
	"encoding/binary"
	"fmt"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
)

// maxRetired bounds the codes in one record: 200 KB.
const maxRetired = 1 << 13

// retirement is a code that was given up.
type retirement struct {
	hash [HashSize]byte
	at   int64 // ms
	used bool
}

// retirements remembers which codes were given up: first those that no batch
// has, then the records that have them. A code's own record is not written
// again, so giving up a code costs 24 bytes of a record, not a record.
type retirements struct {
	fresh []retirement
	over  []string // parts of records whose codes are all gone
	last  uint64   // number of the latest record
}

// retirementRecord is a record on disk, or on its way there.
type retirementRecord struct {
	part string
	left int // of its codes
}

func (r *retirements) add(one retirement) { r.fresh = append(r.fresh, one) }

func (r *retirements) pending() bool { return len(r.fresh) > 0 || len(r.over) > 0 }

// next returns a new record.
func (r *retirements) next() *retirementRecord {
	r.last++
	return &retirementRecord{part: string(binary.BigEndian.AppendUint64([]byte{partRetired}, r.last))}
}

// drop notes that a code of the record is gone.
func (r *retirements) drop(record *retirementRecord) {
	if record == nil {
		return
	}
	if record.left--; record.left == 0 {
		r.over = append(r.over, record.part)
	}
}

// putBack takes back what a refused batch had. Its record's number is not used again.
func (r *retirements) putBack(b *batch) {
	r.fresh = append(b.retirements, r.fresh...)
	r.over = append(r.over, b.over...)
}

// writeRetired puts a record with codes that were given up, and deletes the records whose
// codes are all gone.
func (d *directory) writeRetired(b *batch) {
	b.over, d.retired.over = d.retired.over, nil
	b.commit.Deletes = append(b.commit.Deletes, b.over...)
	n := min(len(d.retired.fresh), maxRetired)
	if n == 0 {
		return
	}
	b.retirements, d.retired.fresh = d.retired.fresh[:n:n], d.retired.fresh[n:]
	record, m := d.retired.next(), &Retirements{}
	for _, r := range b.retirements {
		e := d.codes[r.hash]
		if e == nil { // gone already
			continue
		}
		e.record = record
		record.left++
		m.Hashes, m.AtMs, m.Used = append(m.Hashes, r.hash[:]...), append(m.AtMs, r.at), append(m.Used, r.used)
	}
	if record.left > 0 {
		b.commit.Puts = append(b.commit.Puts, cluster.Record{Part: record.part, Value: encode(m)})
	}
}

// decodeRetirements calls each with what a record has.
func decodeRetirements(value []byte, each func(retirement)) error {
	var m Retirements
	if err := proto.Unmarshal(value, &m); err != nil {
		return fmt.Errorf("decode retirements: %w", err)
	}
	n := len(m.AtMs)
	if len(m.Hashes) != n*HashSize || len(m.Used) != n {
		return fmt.Errorf("%w: retirements of %d bytes of hashes, %d times", errRecord, len(m.Hashes), n)
	}
	for i := range n {
		each(retirement{hash: [HashSize]byte(m.Hashes[i*HashSize:]), at: m.AtMs[i], used: m.Used[i]})
	}
	return nil
}
