package persistence

import (
	"bytes"
	"errors"
	"testing"
)

const pinch salt = "cluster"

func valid(e Entity) bool { return (&Commit{Entity: e}).Validate() == nil }

func FuzzEntityKey(f *testing.F) {
	f.Add("profile", "acme\x00viewer", uint16(7), "part")
	f.Add("k", "\xff", uint16(0xffff), "\x00")
	f.Add("", "", uint16(0), "")
	f.Fuzz(func(t *testing.T, kind, identity string, shard uint16, rest string) {
		e := Entity{Kind: kind, Identity: identity}
		if !valid(e) {
			t.Skip()
		}
		head := pinch.appendHeadKey(nil, ShardID(shard), e)
		gotKind, digest, gotRest, err := splitEntity(append(head, rest...)[shardKeyLen:])
		if err != nil || string(gotKind) != kind || !bytes.HasSuffix(head, digest) || string(gotRest) != rest {
			t.Fatalf("entity: got %q %x %q %v", gotKind, digest, gotRest, err)
		}
		if len(identity) >= digestLen/2 && bytes.Contains(head, []byte(identity)) {
			t.Fatalf("%q stands in its key", identity)
		}
		if record := append(head, rest...); bytes.Compare(record, successor(head)) >= 0 {
			t.Fatalf("record %x is not before %x", record, successor(head))
		}
	})
}

// FuzzEntitiesAreNoPrefixes checks that keys of different entities never touch.
func FuzzEntitiesAreNoPrefixes(f *testing.F) {
	f.Add("profile", "a", "profile", "ab")
	f.Add("k", "a", "ka", "b")
	f.Add("k", "\x00\x01", "k", "\x00")
	f.Fuzz(func(t *testing.T, kind1, identity1, kind2, identity2 string) {
		a, b := Entity{Kind: kind1, Identity: identity1}, Entity{Kind: kind2, Identity: identity2}
		if !valid(a) || !valid(b) || a == b {
			t.Skip()
		}
		if bytes.HasPrefix(pinch.appendEntity(nil, a), pinch.appendEntity(nil, b)) {
			t.Fatalf("%q is a prefix of %q", b, a)
		}
	})
}

func FuzzSplitKeys(f *testing.F) {
	f.Add(pinch.appendHeadKey(nil, 1, viewer))
	f.Add(append(pinch.appendHeadKey(nil, 1, viewer), "part"...))
	f.Fuzz(func(t *testing.T, k []byte) {
		kind, digest, rest, err := splitEntity(k)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		again := append(append(appendKind(nil, string(kind)), digest...), rest...)
		if !bytes.Equal(again, k) {
			t.Fatalf("%x becomes %x", k, again)
		}
	})
}

func FuzzHead(f *testing.F) {
	f.Add(appendHead(nil, &change{rev: 1, schema: 2, identity: "viewer", state: []byte("state"), parts: true}))
	f.Add(appendHead(nil, &change{rev: 1 << 60, identity: "viewer"}))
	f.Add([]byte("123456781234\x02\x00\x01v\x00\x00"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		identity, h, v, err := parseHead(b)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		e := &change{rev: h.Rev, schema: h.Schema, identity: string(identity), state: h.State, parts: v.parts}
		if again := appendHead(nil, e); !bytes.Equal(again, b) || v.rev != h.Rev {
			t.Fatalf("%x becomes %x, revision %d", b, again, v.rev)
		}
	})
}

// What is read of a block is written the same, and damage is named.
func FuzzBlock(f *testing.F) {
	whole := appendOutcome(make([]byte, 8), "k", RequestID{1}, 2, []byte("result"))
	f.Add(appendOutcome(whole, "l", RequestID{3}, 4, nil))
	f.Add(whole[:len(whole)-1])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		again := bytes.Clone(b[:min(8, len(b))])
		err := outcomesIn(b, func(entity, request []byte, step uint32, result []byte) bool {
			again = appendOutcome(again, string(entity), RequestID(request), step, result)
			return true
		})
		if err != nil && !errors.Is(err, ErrDamaged) || err == nil && !bytes.Equal(again, b) {
			t.Fatalf("%x becomes %x, %v", b, again, err)
		}
	})
}

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
