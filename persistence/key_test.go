package persistence

import (
	"bytes"
	"errors"
	"testing"
)

const pinch salt = "cluster"

func FuzzEntityKey(f *testing.F) {
	f.Add("profile", "acme\x00viewer", uint16(7), uint32(1), "part")
	f.Add("k", "\xff", uint16(0xffff), uint32(0xffffffff), "\x00")
	f.Add("", "", uint16(0), uint32(0), "")
	f.Fuzz(func(t *testing.T, kind, identity string, shard uint16, step uint32, rest string) {
		e := Entity{Kind: kind, Identity: identity}
		if !e.valid() {
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
		outcome := appendOutcomeKey(nil, ShardID(shard), pinch.appendEntity(nil, e), RequestID{1}, step)
		queue := append(appendQueueTime(nil, ShardID(shard), int64(step)), outcome[shardKeyLen:]...)
		time, suffix, err := splitQueueKey(queue)
		if err != nil || time != int64(step) || !bytes.Equal(suffix, outcome[shardKeyLen:]) {
			t.Fatalf("queue record: got %d %x %v", time, suffix, err)
		}
	})
}

// FuzzEntitiesAreNoPrefixes checks that keys of different entities never touch.
func FuzzEntitiesAreNoPrefixes(f *testing.F) {
	f.Add("profile", "a", "profile", "ab")
	f.Add("k", "a", "ka", "b")
	f.Add("k", "\x00\x01", "k", "\x00")
	f.Fuzz(func(t *testing.T, kind1, identity1, kind2, identity2 string) {
		a, b := Entity{kind1, identity1}, Entity{kind2, identity2}
		if !a.valid() || !b.valid() || a == b {
			t.Skip()
		}
		if bytes.HasPrefix(pinch.appendEntity(nil, a), pinch.appendEntity(nil, b)) {
			t.Fatalf("%q is a prefix of %q", b, a)
		}
	})
}

func FuzzSplitKeys(f *testing.F) {
	f.Add(pinch.appendHeadKey(nil, 1, viewer))
	f.Add(appendOutcomeKey(nil, 1, pinch.appendEntity(nil, viewer), RequestID{1}, 2))
	f.Add(append(appendQueueTime(nil, 1, 99), appendOutcomeKey(nil, 1, pinch.appendEntity(nil, viewer), RequestID{1}, 2)[shardKeyLen:]...))
	f.Fuzz(func(t *testing.T, k []byte) {
		if _, _, err := splitQueueKey(k); err != nil && !errors.Is(err, ErrDamaged) {
			t.Fatal(err)
		}
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
	h := Head{Rev: 1, Schema: 2, State: []byte("state")}
	one := held{Outcome{RequestID{1}, 2, []byte("result")}, 1_000_000}
	f.Add(appendHead(nil, "viewer", h, true, nil))
	f.Add(appendHead(nil, "viewer", Head{Rev: 1 << 60}, false, nil))
	f.Add(appendHead(nil, "viewer", h, false, appendHeld(nil, []held{one})))
	f.Add(appendHead(nil, "viewer", h, true, appendHeld(nil, []held{{}, one, one, {}})))
	f.Add(appendHead(nil, "viewer", h, true, appendHeld(nil, []held{one, one, one, one, one})))
	f.Add(appendHead(nil, "viewer", h, false, []byte("cut")))
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
		var all []held
		for h, rest, ok := v.outcomes.next(); ok; h, rest, ok = rest.next() {
			all = append(all, h)
		}
		if again := appendHead(nil, string(identity), h, v.parts, appendHeld(nil, all)); !bytes.Equal(again, b) || v.rev != h.Rev || !fit(all) {
			t.Fatalf("%x becomes %x, revision %d and %d outcomes", b, again, v.rev, len(all))
		}
	})
}

func FuzzIdentity(f *testing.F) {
	f.Add([]byte(`{"format":1,"cluster":"00","node":"n1","nodeId":1,"shards":64}`))
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

func FuzzWatermark(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00"))
	f.Fuzz(func(_ *testing.T, b []byte) { parseWatermark(b) })
}
