package membership

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func FuzzMeta(f *testing.F) {
	b, err := Meta{Cluster: "c", NodeID: 7, FreeDisk: 5 << 30, RPC: "a:1", Raft: "a:2", HTTP: "b:3", Config: "d", Version: "v"}.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:10])
	f.Add([]byte{metaFormat})
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := decodeMeta(in)
		if err != nil {
			if !errors.Is(err, ErrMeta) || m != (Meta{}) && m.Cluster != "" {
				t.Errorf("error %v with %+v", err, m)
			}
			return
		}
		again, err := m.encode()
		if errors.Is(err, ErrMeta) {
			return // too long to be sent
		}
		if err != nil || len(again) > len(in) {
			t.Fatalf("encoded again: %d bytes of %d, %v", len(again), len(in), err)
		}
		if same, err := decodeMeta(again); err != nil || same != m {
			t.Errorf("decoded again, %v: %s", err, cmp.Diff(m, same))
		}
	})
}

// TestALongHostFits: names of 253 bytes are legal, and three listeners have the same.
func TestALongHostFits(t *testing.T) {
	host := strings.Repeat("a.", 126) + "b"
	m := Meta{
		Cluster: strings.Repeat("c", 32), NodeID: 1 << 31, FreeDisk: 7 << 40, Config: strings.Repeat("d", 64), Version: strings.Repeat("v", 60),
		Raft: host + ":65535", RPC: host + ":1", HTTP: host + ":8080",
	}
	b, err := m.encode()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := decodeMeta(b); err != nil || got != m {
		t.Errorf("%v: %s", err, cmp.Diff(m, got))
	}
	m.HTTP = strings.Repeat("x.", 100) + "y:8080"
	if _, err := m.encode(); !errors.Is(err, ErrMeta) || !strings.Contains(err.Error(), "too long together") {
		t.Errorf("two long hosts: got %v", err)
	}
	for _, s := range []string{"a:1", "[::1]:1", "a:01", "a:70000", "a", "", ":1"} {
		m := Meta{Raft: "a:1", RPC: s}
		b, err := m.encode()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decodeMeta(b); err != nil || got != m {
			t.Errorf("%q: %v: %s", s, err, cmp.Diff(m, got))
		}
	}
}

func TestMemberNames(t *testing.T) {
	name, incarnation, err := splitName(memberName("n1-a", 0xabc))
	if name != "n1-a" || incarnation != 0xabc || err != nil {
		t.Errorf("got %q %x %v", name, incarnation, err)
	}
	for _, s := range []string{"", "n1", ".1", "n1.", "n1.xyz", "n1.1.1"} {
		if _, _, err := splitName(s); !errors.Is(err, ErrMeta) {
			t.Errorf("%q: got %v, want %v", s, err, ErrMeta)
		}
	}
}

// TestTheGoneAreForgotten: what is remembered is bounded, and the latest of each
// node stays.
func TestTheGoneAreForgotten(t *testing.T) {
	ms := members{}
	for i := range uint64(200) {
		ms.put(memberName("n1", i), Member{Name: "n1", Incarnation: i, Addr: "a", State: Alive})
	}
	if all := ms.sorted(); len(all) != 1 || all[0].Incarnation != 199 {
		t.Errorf("one node at one address: got %v", all)
	}
	for i := range 200 {
		name := fmt.Sprint("m", i)
		ms.put(memberName(name, 1), Member{Name: name, Incarnation: 1, State: Dead})
	}
	if len(ms) != maxGone+1 {
		t.Errorf("%d members are remembered, want %d", len(ms), maxGone+1)
	}
}

// TestTwoProcessesOfANodeAreBothThere when they have different addresses: one of
// them is a mistake, and somebody has to see it.
func TestTwoProcessesOfANodeAreBothThere(t *testing.T) {
	ms := members{}
	ms.put("n1.1", Member{Name: "n1", Incarnation: 1, Addr: "a", State: Alive})
	ms.put("n1.2", Member{Name: "n1", Incarnation: 2, Addr: "b", State: Alive})
	ms.put("n2.1", Member{Name: "n2", Incarnation: 1, Addr: "c", State: Dead})
	if all := ms.sorted(); len(all) != 3 || all[0].State != Alive || all[1].State != Alive {
		t.Errorf("got %v", all)
	}
	if diff := cmp.Diff([]string{"c"}, ms.lost()); diff != "" {
		t.Error(diff)
	}
	ms.put("n1.1", Member{Name: "n1", Incarnation: 1, Addr: "a", State: Dead})
	if diff := cmp.Diff([]string{"c"}, ms.lost()); diff != "" {
		t.Errorf("a node that runs elsewhere is looked for: %s", diff)
	}
}
