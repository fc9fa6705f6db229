package layout

import (
	"bytes"
	"errors"
	"testing"

	"ssod/persistence/data"
)

const pinch Salt = "cluster"

var viewer = data.Entity{Kind: "profile", Identity: "acme/viewer"}

func valid(e data.Entity) bool { return (&data.Commit{Entity: e}).Validate() == nil }

func FuzzEntityKey(f *testing.F) {
	f.Add("profile", "acme\x00viewer", uint16(7), "part")
	f.Add("k", "\xff", uint16(0xffff), "\x00")
	f.Add("", "", uint16(0), "")
	f.Fuzz(func(t *testing.T, kind, identity string, shard uint16, rest string) {
		e := data.Entity{Kind: kind, Identity: identity}
		if !valid(e) {
			t.Skip()
		}
		head := pinch.AppendHeadKey(nil, data.ShardID(shard), e)
		got, gotRest, err := SplitEntity(append(head, rest...)[ShardKeyLen:])
		if err != nil || got.Slot != e.Slot() || string(got.Kind) != kind || !bytes.HasSuffix(head, got.Digest) || string(gotRest) != rest {
			t.Fatalf("entity of slot %d: got %+v %q %v", e.Slot(), got, gotRest, err)
		}
		span := SlotSpan(data.ShardID(shard), e.Slot(), e.Slot())
		if bytes.Compare(head, span.Start) < 0 || bytes.Compare(append(head, rest...), span.End) >= 0 {
			t.Fatalf("%x is not between %x and %x", head, span.Start, span.End)
		}
		if len(identity) >= DigestLen/2 && bytes.Contains(head, []byte(identity)) {
			t.Fatalf("%q stands in its key", identity)
		}
		if record := append(head, rest...); bytes.Compare(record, Successor(head)) >= 0 {
			t.Fatalf("record %x is not before %x", record, Successor(head))
		}
	})
}

// FuzzEntitiesAreNoPrefixes checks that keys of different entities never touch.
func FuzzEntitiesAreNoPrefixes(f *testing.F) {
	f.Add("profile", "a", "profile", "ab")
	f.Add("k", "a", "ka", "b")
	f.Add("k", "\x00\x01", "k", "\x00")
	f.Fuzz(func(t *testing.T, kind1, identity1, kind2, identity2 string) {
		a, b := data.Entity{Kind: kind1, Identity: identity1}, data.Entity{Kind: kind2, Identity: identity2}
		if !valid(a) || !valid(b) || a == b {
			t.Skip()
		}
		if bytes.HasPrefix(pinch.AppendEntity(nil, a), pinch.AppendEntity(nil, b)) {
			t.Fatalf("%q is a prefix of %q", b, a)
		}
	})
}

func FuzzSplitKeys(f *testing.F) {
	f.Add(pinch.AppendHeadKey(nil, 1, viewer))
	f.Add(append(pinch.AppendHeadKey(nil, 1, viewer), "part"...))
	f.Fuzz(func(t *testing.T, k []byte) {
		e, rest, err := SplitEntity(k)
		if err != nil {
			if !errors.Is(err, data.ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		again := append(append(AppendKind(AppendSlot(nil, e.Slot), string(e.Kind)), e.Digest...), rest...)
		if !bytes.Equal(again, k) {
			t.Fatalf("%x becomes %x", k, again)
		}
	})
}
