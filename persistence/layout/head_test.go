package layout

import (
	"bytes"
	"errors"
	"testing"

	"ssod/persistence/data"
)

func FuzzHead(f *testing.F) {
	f.Add(AppendHead(nil, "viewer", data.Head{Rev: 1, Schema: 2, State: []byte("state")}, true))
	f.Add(AppendHead(nil, "viewer", data.Head{Rev: 1 << 60}, false))
	f.Add([]byte("123456781234\x02\x00\x01v\x00\x00"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		identity, h, parts, err := ParseHead(b)
		if err != nil {
			if !errors.Is(err, data.ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		again := AppendHead(nil, string(identity), h, parts)
		if !bytes.Equal(again, b) || len(again) != HeadLen(string(identity), h.State) {
			t.Fatalf("%x becomes %x", b, again)
		}
	})
}
