package persistence

import (
	"errors"
	"testing"
)

func FuzzIdentity(f *testing.F) {
	f.Add([]byte(`{"format":2,"cluster":"00","node":"n1","nodeId":1,"shards":64}`))
	f.Add([]byte(`{"format":2}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, b []byte) {
		i, err := parseIdentity(b)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		if again, err := parseIdentity(i.encode()); err != nil || again != i {
			t.Fatalf("%v becomes %v %v", i, again, err)
		}
	})
}
