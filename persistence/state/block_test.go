package state

import (
	"bytes"
	"errors"
	"testing"

	"ssod/persistence/data"
)

// What is read of a block is written the same, and damage is named.
func FuzzBlock(f *testing.F) {
	whole := appendOutcome(make([]byte, 8), "k", data.RequestID{1}, 2, []byte("result"))
	f.Add(appendOutcome(whole, "l", data.RequestID{3}, 4, nil))
	f.Add(whole[:len(whole)-1])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		again := bytes.Clone(b[:min(8, len(b))])
		err := outcomesIn(b, func(entity, request []byte, step uint32, result []byte) bool {
			again = appendOutcome(again, string(entity), data.RequestID(request), step, result)
			return true
		})
		if err != nil && !errors.Is(err, data.ErrDamaged) || err == nil && !bytes.Equal(again, b) {
			t.Fatalf("%x becomes %x, %v", b, again, err)
		}
	})
}
