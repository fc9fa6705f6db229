package sealing

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
)

const (
	prefix     = "sealing/"
	keyPrefix  = prefix + "key/"
	nodePrefix = prefix + "node/"
)

// IsRecord reports whether a record of the table is of this package. All others are
// sealed, and of others.
func IsRecord(id string) bool { return strings.HasPrefix(id, prefix) }

func keyID(number uint64) string { return fmt.Sprintf("%s%010d", keyPrefix, number) }
func nodeID(node uint64) string  { return fmt.Sprintf("%s%010d", nodePrefix, node) }

// View is the sealing keys of one revision of the table, as one node sees them. It
// does not change.
type View struct {
	o       *Options
	private *Private
	records map[uint64]*KeyRecord    // by number
	members map[uint64]*MemberRecord // by node
	keys    map[uint64]*Key          // those of which this node has a copy
	current uint64                   // the highest number; 0: there is none
}

// Read makes a view of the sealing records of a table. The error names bad ones, and the
// view has the rest. old may be nil; what it has opened is not opened again.
func Read(records iter.Seq2[string, []byte], o *Options, old *View) (*View, error) {
	v := &View{
		o: o, records: make(map[uint64]*KeyRecord), members: make(map[uint64]*MemberRecord), keys: make(map[uint64]*Key),
	}
	var err error
	if old != nil {
		v.private = old.private
	} else if v.private, err = ParsePrivate(o.Key); err != nil {
		return v, err
	}
	var errs []error
	for id, raw := range records {
		if IsRecord(id) {
			errs = append(errs, v.enter(id, raw))
		}
	}
	for number, r := range v.records {
		v.current = max(v.current, number)
		errs = append(errs, v.openCopy(number, r, old))
	}
	return v, errors.Join(errs...)
}

func (v *View) enter(id string, raw []byte) (err error) {
	var number uint64
	if text, ok := strings.CutPrefix(id, keyPrefix); ok {
		r := &KeyRecord{}
		if number, err = strconv.ParseUint(text, 10, 64); err == nil {
			err = proto.Unmarshal(raw, r)
		}
		v.records[number] = r
	} else {
		r := &MemberRecord{}
		if number, err = strconv.ParseUint(strings.TrimPrefix(id, nodePrefix), 10, 64); err == nil {
			err = proto.Unmarshal(raw, r)
		}
		v.members[number] = r
	}
	if err != nil {
		return fmt.Errorf("record %s: %w", id, err)
	}
	return nil
}

// openCopy opens this node's copy of a key. That there is none is no error.
func (v *View) openCopy(number uint64, r *KeyRecord, old *View) (err error) {
	if old != nil && old.keys[number] != nil {
		v.keys[number] = old.keys[number]
		return nil
	}
	sealed, ok := r.GetCopies()[v.o.Self.ID]
	if !ok {
		return nil
	}
	k, err := v.private.openCopy(v.o.Cluster, v.o.Self, number, sealed)
	if err == nil {
		v.keys[number] = k
	}
	return err
}

// Founded reports whether there is a sealing key.
func (v *View) Founded() bool { return v.current != 0 }

// Current is the number of the current key; 0 if there is none.
func (v *View) Current() uint64 { return v.current }

// Numbers are those of all keys, in order.
func (v *View) Numbers() []uint64 { return slices.Sorted(maps.Keys(v.records)) }

// Whole fails with [ErrNoCopy] unless this node has all keys, and with [ErrSealed] if
// the table knows another private key of this node.
func (v *View) Whole() error {
	if e, ok := v.members[v.o.Self.ID]; ok && !bytes.Equal(e.GetPublicKey(), v.private.public) {
		return fmt.Errorf("another private key of this node is registered: %w", ErrSealed)
	}
	for number := range v.records {
		if v.keys[number] == nil {
			return fmt.Errorf("sealing key %d: %w", number, ErrNoCopy)
		}
	}
	return nil
}

// Seal seals a secret under the current key. It fails with [ErrNoCopy].
func (v *View) Seal(secret, label []byte) ([]byte, error) {
	k := v.keys[v.current]
	if k == nil {
		return nil, ErrNoCopy
	}
	return k.Seal(secret, label), nil
}

// Open opens what was sealed under any of the keys. It fails with [ErrNoCopy] and
// [ErrSealed].
func (v *View) Open(sealed, label []byte) ([]byte, error) {
	number, rest, ok := split(sealed)
	switch {
	case !ok || v.records[number] == nil:
		return nil, ErrSealed
	case v.keys[number] == nil:
		return nil, ErrNoCopy
	}
	return v.keys[number].open(rest, label)
}
