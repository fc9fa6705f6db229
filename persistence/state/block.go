package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"ssod/persistence/data"
	"ssod/persistence/db"
	"ssod/persistence/layout"
)

// A flush writes the outcomes of a shard as blocks: one record for thousands of them,
// ordered by entity, request and step. A look-up asks the filters of the blocks, which are
// in memory, and reads the block that may have it. A block is deleted as a whole, when all
// of it has left the window.
//
//	03 shard 'o' applied index, number   time, (entity request step result)*
//
// The time, in ms, is the shard time of the flush, so no outcome is later.
type block struct {
	key    []byte
	time   int64
	filter filter
}

// maxBlock bounds a block of more than one outcome.
const maxBlock = 256 << 10

// outcomeLen is the length of an outcome in a block without its entity and result.
const outcomeLen = 1 + layout.RequestLen + 4

func (o *kept) len() int { return outcomeLen + len(o.of.name()) + len(o.result) }

func appendOutcome(b []byte, entity string, request data.RequestID, step uint32, result []byte) []byte {
	b = append(append(b, byte(len(entity))), entity...)
	b = layout.AppendRequest(b, request, step)
	b = binary.BigEndian.AppendUint32(b, uint32(len(result)))
	return append(b, result...)
}

// outcomesIn calls f for the outcomes of a block, which share the memory of value.
func outcomesIn(value []byte, f func(entity []byte, request []byte, step uint32, result []byte) bool) error {
	if len(value) < 8 {
		return fmt.Errorf("%w: block of %d bytes", data.ErrDamaged, len(value))
	}
	for b := value[8:]; len(b) > 0; {
		entity, rest, ok := layout.CutLength(b, 1)
		if !ok || len(rest) < layout.RequestLen {
			return fmt.Errorf("%w: block that ends early", data.ErrDamaged)
		}
		request, step := rest[:len(data.RequestID{})], binary.BigEndian.Uint32(rest[len(data.RequestID{}):])
		result, rest, ok := layout.CutLength(rest[layout.RequestLen:], 4)
		if !ok {
			return fmt.Errorf("%w: block that ends early", data.ErrDamaged)
		}
		if !f(entity, request, step, result) {
			return nil
		}
		b = rest
	}
	return nil
}

// stageBlocks adds blocks of outcomes, which are in order, to a batch.
func stageBlocks(b *pebble.Batch, shard data.ShardID, at uint64, time int64, all []*kept) (blocks []*block, err error) {
	for number := uint32(0); len(all) > 0; number++ {
		n, size := 0, 8
		for n < len(all) && (n == 0 || size+all[n].len() <= maxBlock) {
			size += all[n].len()
			n++
		}
		k := &block{key: blockKey(shard, at, number), time: time, filter: newFilter(n)}
		op := b.SetDeferred(len(k.key), size)
		copy(op.Key, k.key)
		value := binary.BigEndian.AppendUint64(op.Value[:0], uint64(time))
		for _, o := range all[:n] {
			value = appendOutcome(value, o.of.name(), o.request, o.step, o.result)
			k.filter.add(o.request[:], o.step)
		}
		if err := op.Finish(); err != nil {
			return nil, err
		}
		blocks, all = append(blocks, k), all[n:]
	}
	return blocks, nil
}

func blockKey(shard data.ShardID, at uint64, number uint32) []byte {
	k := binary.BigEndian.AppendUint64(layout.AppendShard(nil, shard, layout.SubOutcome), at)
	return binary.BigEndian.AppendUint32(k, number)
}

// find looks an outcome up in the block. If the block does not exist any more, it has left
// the window or was forgotten.
func (k *block) find(d *db.DB, key string, r data.RequestID, step uint32) (result []byte, found bool, err error) {
	value, closer, err := d.Get(k.key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, layout.Damaged(err)
	}
	defer closer.Close()
	err = outcomesIn(value, func(entity, request []byte, of uint32, b []byte) bool {
		if of != step || string(entity) != key || !bytes.Equal(request, r[:]) {
			return true
		}
		result, found = append([]byte{}, b...), true
		return false
	})
	return result, found, err
}

func parseBlock(key, value []byte) (*block, error) {
	n := 0
	if err := outcomesIn(value, func(_, _ []byte, _ uint32, _ []byte) bool { n++; return true }); err != nil {
		return nil, err
	}
	k := &block{key: slices.Clone(key), time: int64(binary.BigEndian.Uint64(value)), filter: newFilter(n)}
	return k, outcomesIn(value, func(_, request []byte, step uint32, _ []byte) bool {
		k.filter.add(request, step)
		return true
	})
}

// filter says which outcomes a block may have: 16 bits and 4 probes for each, so one
// look-up in 400 reads a block in vain.
type filter []uint64

func newFilter(n int) filter { return make(filter, (16*n+63)/64) }

func (f filter) add(request []byte, step uint32) {
	for bit := range f.probes(request, step) {
		f[bit/64] |= 1 << (bit % 64)
	}
}

func (f filter) maybe(r data.RequestID, step uint32) bool {
	if len(f) == 0 {
		return false
	}
	for bit := range f.probes(r[:], step) {
		if f[bit/64]&(1<<(bit%64)) == 0 {
			return false
		}
	}
	return true
}

// probes yields four bits. Request ids are random, so they are their own hash.
func (f filter) probes(request []byte, step uint32) func(yield func(uint32) bool) {
	a, b := binary.BigEndian.Uint64(request), binary.BigEndian.Uint64(request[8:])
	a += uint64(step) * 0x9e3779b97f4a7c15
	b |= 1
	bits := uint32(64 * len(f))
	return func(yield func(uint32) bool) {
		for range 4 {
			if !yield(uint32(a>>32) % bits) {
				return
			}
			a += b
		}
	}
}
