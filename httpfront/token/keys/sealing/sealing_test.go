package sealing

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

var begin = time.Date(2026, 1, 2, 20, 0, 0, 0, time.UTC)

// club is a table and the nodes that see it.
type club struct {
	t       *testing.T
	table   map[string][]byte
	members []Member
	secret  [][]byte
}

func newClub(t *testing.T, names ...string) *club {
	c := &club{t: t, table: map[string][]byte{}, secret: [][]byte{[]byte("the secret")}}
	for i, name := range names {
		c.members = append(c.members, Member{ID: uint64(i + 1), Name: name})
	}
	return c
}

func (c *club) options(id uint64) *Options {
	o := &Options{
		Key: bytes.Repeat([]byte{byte(id)}, KeySize), Cluster: "c1", Self: c.members[id-1],
		Members: func() []Member { return c.members }, Secret: func() [][]byte { return c.secret },
	}
	return o
}

func (c *club) all() iter.Seq2[string, []byte] { return maps.All(c.table) }

func (c *club) view(o *Options) *View {
	c.t.Helper()
	v, err := Read(c.all(), o, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return v
}

func (c *club) apply(of Change, err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
	for _, id := range of.Deletes {
		delete(c.table, id)
	}
	maps.Copy(c.table, of.Puts)
}

// founded lets the first node make the key, the others tell of themselves, and the
// first one seal the key to them.
func (c *club) founded() *club {
	c.t.Helper()
	c.apply(c.view(c.options(1)).Found(begin))
	for _, m := range c.members[1:] {
		c.apply(c.view(c.options(m.ID)).Enrol())
	}
	c.apply(c.view(c.options(1)).Step(begin))
	return c
}

func TestAKeyIsSealedToEachMember(t *testing.T) {
	c := newClub(t, "n1", "n2", "n3").founded()
	label := []byte("label")
	sealed, err := c.view(c.options(1)).Seal([]byte("secret"), label)
	if err != nil {
		t.Fatal(err)
	}
	for id := uint64(1); id <= 3; id++ {
		v := c.view(c.options(id))
		if got, err := v.Open(sealed, label); err != nil || string(got) != "secret" || v.Whole() != nil {
			t.Errorf("node %d: got %q, %v, whole: %v", id, got, err, v.Whole())
		}
		if _, err := v.Open(sealed, []byte("other")); !errors.Is(err, ErrSealed) {
			t.Errorf("node %d beside another label: got %v, want ErrSealed", id, err)
		}
	}
	for id, raw := range c.table {
		if key := c.view(c.options(1)).keys[1].secret; bytes.Contains(raw, key) {
			t.Errorf("record %s has the key in clear", id)
		}
	}
	if c, err := c.view(c.options(2)).Step(begin); err != nil || !c.Empty() {
		t.Errorf("there is still something to do: %v, %v", c, err)
	}
}

// A copy opens for nobody but the node, of the cluster, and under the number that it
// was made for.
func TestACopyIsBound(t *testing.T) {
	p, err := ParsePrivate(bytes.Repeat([]byte{7}, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	other, err := ParsePrivate(bytes.Repeat([]byte{8}, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	k, err := randomKey(4)
	if err != nil {
		t.Fatal(err)
	}
	n7 := Member{ID: 7, Name: "n7"}
	sealed, err := k.copyFor("c1", n7, p.public)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := p.openCopy("c1", n7, 4, sealed); err != nil || !bytes.Equal(got.secret, k.secret) {
		t.Fatalf("got %v, %v", got, err)
	}
	for name, open := range map[string]func() (*Key, error){
		"another private key": func() (*Key, error) { return other.openCopy("c1", n7, 4, sealed) },
		"another cluster":     func() (*Key, error) { return p.openCopy("c2", n7, 4, sealed) },
		"another id":          func() (*Key, error) { return p.openCopy("c1", Member{ID: 8, Name: "n7"}, 4, sealed) },
		"another name":        func() (*Key, error) { return p.openCopy("c1", Member{ID: 7, Name: "n8"}, 4, sealed) },
		"another number":      func() (*Key, error) { return p.openCopy("c1", n7, 5, sealed) },
		"a changed copy": func() (*Key, error) {
			return p.openCopy("c1", n7, 4, append(slices.Clone(sealed[:len(sealed)-1]), sealed[len(sealed)-1]^1))
		},
		"nothing": func() (*Key, error) { return p.openCopy("c1", n7, 4, nil) },
	} {
		if got, err := open(); !errors.Is(err, ErrSealed) {
			t.Errorf("%s: got %v, %v, want ErrSealed", name, got, err)
		}
	}
}

// Nothing is sealed to a public key unless who knows the cluster secret says that it
// is that node's: whoever relays or changes what nodes say gains nothing.
func TestNothingIsSealedToAStranger(t *testing.T) {
	stranger, err := ParsePrivate(bytes.Repeat([]byte{66}, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		spoil func(c *club, e *MemberRecord)
		gets  bool
	}{
		"what a member tells":     {func(*club, *MemberRecord) {}, true},
		"another public key":      {func(_ *club, e *MemberRecord) { e.PublicKey = stranger.public }, false},
		"no proof":                {func(_ *club, e *MemberRecord) { e.Proof = nil }, false},
		"a proof of another node": {func(c *club, e *MemberRecord) { e.Proof = c.options(1).prove(c.secret[0], c.members[0], e.PublicKey) }, false},
		"of another cluster": {func(c *club, e *MemberRecord) {
			o := c.options(2)
			o.Cluster = "c2"
			e.Proof = o.prove(c.secret[0], c.members[1], e.PublicKey)
		}, false},
		"of another secret": {func(c *club, e *MemberRecord) {
			e.Proof = c.options(2).prove([]byte("guessed"), c.members[1], e.PublicKey)
		}, false},
		"of the secret before": {func(c *club, e *MemberRecord) {
			c.secret = append([][]byte{[]byte("a newer one")}, c.secret...)
		}, true},
		"of one that is none now": {func(c *club, e *MemberRecord) { c.secret = [][]byte{[]byte("a newer one")} }, false},
		"no key at all": {func(c *club, e *MemberRecord) {
			e.PublicKey = nil
			e.Proof = c.options(2).prove(c.secret[0], c.members[1], nil)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClub(t, "n1", "n2")
			c.apply(c.view(c.options(1)).Found(begin))
			o := c.options(2)
			v := c.view(o)
			e := o.enrolment(v.private)
			tt.spoil(c, e)
			var told Change
			if err := told.put(nodeID(2), e); err != nil {
				t.Fatal(err)
			}
			c.apply(told, nil)
			c.apply(c.view(c.options(1)).Step(begin))
			got := c.view(c.options(1)).records[1].GetCopies()[2] != nil
			if got != tt.gets {
				t.Errorf("sealed: %v, want %v", got, tt.gets)
			}
			waiting, _ := c.view(c.options(1)).Waiting()
			if (len(waiting) == 1) == tt.gets {
				t.Errorf("waiting: %v", waiting)
			}
		})
	}
}

// A node's public key never becomes another one, and a proof by an older secret is
// replaced.
func TestANodeTellsOfItself(t *testing.T) {
	c := newClub(t, "n1", "n2").founded()
	o := c.options(2)
	if again, err := c.view(o).Enrol(); err != nil || !again.Empty() {
		t.Errorf("told twice: %v, %v", again, err)
	}
	c.secret = [][]byte{[]byte("a newer one"), c.secret[0]}
	if again, err := c.view(o).Enrol(); err != nil || again.Empty() {
		t.Errorf("not proven by the newer secret: %v, %v", again, err)
	}
	o.Key = bytes.Repeat([]byte{9}, KeySize)
	v, err := Read(c.all(), o, nil)
	if !errors.Is(err, ErrSealed) || !errors.Is(v.Whole(), ErrSealed) {
		t.Errorf("with another private key: got %v, whole: %v", err, v.Whole())
	}
	if again, err := v.Enrol(); err != nil || !again.Empty() {
		t.Errorf("another private key is told: %v, %v", again, err)
	}
}

// After a removal there is a key that the removed node has no copy of.
func TestARemovedNodeGetsNoKey(t *testing.T) {
	c := newClub(t, "n1", "n2", "n3").founded()
	before := c.view(c.options(3))
	c.members[2].Removed = true
	v := c.view(c.options(2))
	if !v.Compromised() {
		t.Fatal("the key that a removed node has counts as good")
	}
	c.apply(v.Step(begin))
	v = c.view(c.options(1))
	if v.Current() != 2 || v.Compromised() || c.table[nodeID(3)] != nil {
		t.Fatalf("key %d is current, compromised: %v", v.Current(), v.Compromised())
	}
	sealed, err := v.Seal([]byte("secret"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := before.Open(sealed, nil); !errors.Is(err, ErrSealed) {
		t.Errorf("with what it had: got %q, %v", got, err)
	}
	late := c.view(c.options(3)) // it reads what came after
	if got, err := late.Open(sealed, nil); !errors.Is(err, ErrNoCopy) {
		t.Errorf("with what came after: got %q, %v", got, err)
	}
	c.apply(late.Enrol()) // and tells that it is there
	for range 3 {
		c.apply(c.view(c.options(1)).Step(begin))
	}
	if c.view(c.options(1)).records[2].GetCopies()[3] != nil || c.table[nodeID(3)] != nil {
		t.Error("a removed node gets the new key after all")
	}
}

// A node that has destroyed its private key gets the keys again under another one, when
// it was forgotten; whatever the others have done about it meanwhile.
func TestANodeComesBackWithAnotherPrivateKey(t *testing.T) {
	for _, removed := range []bool{false, true} {
		c := newClub(t, "n1", "n2", "n3").founded()
		c.members[2].Removed = removed
		c.apply(c.view(c.options(1)).Step(begin))
		c.members[2].Removed = false
		o := c.options(3)
		o.Key = bytes.Repeat([]byte{7}, KeySize)
		if _, err := Read(c.all(), o, nil); !removed && !errors.Is(err, ErrSealed) {
			t.Errorf("what was sealed to the other one: got %v", err)
		}
		c.apply(Forget(c.all(), 3))
		if again, err := Forget(c.all(), 3); err != nil || !again.Empty() {
			t.Errorf("forgotten twice: %v, %v", again, err)
		}
		c.apply(c.view(o).Enrol())
		c.apply(c.view(c.options(1)).Step(begin))
		if err := c.view(o).Whole(); err != nil {
			t.Errorf("removed meanwhile %v: %v", removed, err)
		}
		if err := c.view(c.options(2)).Whole(); err != nil {
			t.Errorf("another node: %v", err)
		}
	}
}

// One that was sealed to a node which is removed at that moment is replaced in turn.
func TestAKeyThatComesTooLateIsReplaced(t *testing.T) {
	c := newClub(t, "n1", "n2", "n3").founded()
	c.members[2].Removed = true
	second := c.view(c.options(1))
	c.apply(second.Step(begin))
	c.members[1].Removed = true
	c.apply(c.view(c.options(1)).Step(begin))
	if v := c.view(c.options(1)); v.Current() != 3 || v.Compromised() || fmt.Sprint(v.Numbers()) != "[1 2 3]" {
		t.Errorf("keys %v, compromised: %v", v.Numbers(), v.Compromised())
	}
	var drop Change
	c.view(c.options(1)).Drop(&drop, map[uint64]int{1: 4, 3: 1})
	c.apply(drop, nil)
	if got := fmt.Sprint(c.view(c.options(1)).Numbers()); got != "[1 3]" {
		t.Errorf("after the end of what is not used there are %v, want 1 and 3", got)
	}
}

func TestNothingPrints(t *testing.T) {
	p, err := ParsePrivate(bytes.Repeat([]byte{'k'}, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	k, err := newKey(1, bytes.Repeat([]byte{'k'}, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%v %+v %#v %s %v %+v %#v %s", p, p, p, p, k, k, k, k)
	if strings.Contains(text, "kk") || strings.Contains(text, "107") || strings.Contains(text, "0x6b") {
		t.Errorf("keys print as %s", text)
	}
}

func FuzzOpen(f *testing.F) {
	c := newClub(&testing.T{}, "n1").founded()
	v := c.view(c.options(1))
	good, err := v.Seal([]byte("secret"), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte{sealedVersion})
	f.Add([]byte{sealedVersion, 0x80})
	f.Add([]byte{sealedVersion, 1, 2, 3})
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if got, err := v.Open(sealed, nil); err == nil && !bytes.Equal(sealed, good) {
			t.Errorf("%x opens as %q", sealed, got)
		}
	})
}
