package sealing

import (
	"bytes"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
)

// Change is a change of the table.
type Change struct {
	Puts    map[string][]byte
	Deletes []string
}

func (c *Change) put(id string, m proto.Message) error {
	raw, err := proto.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode %s: %w", id, err)
	}
	if c.Puts == nil {
		c.Puts = make(map[string][]byte)
	}
	c.Puts[id] = raw
	return nil
}

// Empty reports whether there is nothing to do.
func (c *Change) Empty() bool { return len(c.Puts) == 0 && len(c.Deletes) == 0 }

// Enrol adds this node's public key to a change, unless it is in the table. A node that
// finds another key of its own there changes nothing.
func (v *View) Enrol() (c Change, err error) {
	want, have := v.o.enrolment(v.private), v.members[v.o.Self.ID]
	if have != nil && (!bytes.Equal(have.GetPublicKey(), want.GetPublicKey()) || bytes.Equal(have.GetProof(), want.GetProof())) {
		return c, nil
	}
	return c, c.put(nodeID(v.o.Self.ID), want)
}

// Found makes the first key of a cluster.
func (v *View) Found(now time.Time) (Change, error) {
	c, err := v.Enrol()
	if err != nil {
		return c, err
	}
	return c, v.add(&c, 1, now)
}

// Step is the next change of the keys themselves: a new one in place of one that a removed
// node has, copies for nodes that have none, and removal of what only removed nodes had.
// Resealing is up to the caller.
func (v *View) Step(now time.Time) (c Change, err error) {
	switch {
	case v.current == 0 || v.Whole() != nil:
		return c, nil
	case v.Compromised():
		err = v.add(&c, v.current+1, now)
	default:
		err = v.complete(&c)
	}
	if err != nil {
		return Change{}, err
	}
	for _, m := range v.o.members() {
		if m.Removed && v.members[m.ID] != nil {
			c.Deletes = append(c.Deletes, nodeID(m.ID))
		}
	}
	return c, nil
}

// Drop deletes the keys that nothing is sealed under any more, the current one
// excepted.
func (v *View) Drop(c *Change, used map[uint64]int) {
	for _, number := range v.Numbers() {
		if number != v.current && used[number] == 0 {
			c.Deletes = append(c.Deletes, keyID(number))
		}
	}
}

// Compromised reports whether a node that was removed has the current key.
func (v *View) Compromised() bool {
	copies := v.records[v.current].GetCopies()
	return slices.ContainsFunc(v.o.members(), func(m Member) bool { return m.Removed && copies[m.ID] != nil })
}

// add makes a key and seals it to all nodes.
func (v *View) add(c *Change, number uint64, now time.Time) error {
	k, err := randomKey(number)
	if err != nil {
		return err
	}
	r := &KeyRecord{CreatedMs: now.UnixMilli(), Copies: make(map[uint64][]byte)}
	v.copyTo(k, r, append(v.fit(), v.o.Self))
	return c.put(keyID(number), r)
}

// complete seals the keys to those nodes that have no copy.
func (v *View) complete(c *Change) error {
	for number, r := range v.records {
		more, _ := proto.Clone(r).(*KeyRecord)
		if more.Copies == nil {
			more.Copies = make(map[uint64][]byte)
		}
		v.copyTo(v.keys[number], more, v.fit())
		if len(more.GetCopies()) == len(r.GetCopies()) {
			continue
		}
		if err := c.put(keyID(number), more); err != nil {
			return err
		}
	}
	return nil
}

// copyTo seals a key to nodes that have no copy yet. A node with an unusable public key
// goes without, so that it keeps no other from a new key.
func (v *View) copyTo(k *Key, r *KeyRecord, nodes []Member) {
	for _, m := range nodes {
		if r.Copies[m.ID] != nil {
			continue
		}
		public := v.private.public
		if m.ID != v.o.Self.ID {
			public = v.members[m.ID].GetPublicKey()
		}
		if sealed, err := k.copyFor(v.o.Cluster, m, public); err == nil {
			r.Copies[m.ID] = sealed
		}
	}
}

// fit are the nodes that a key is sealed to: members whose public key is proven.
func (v *View) fit() (nodes []Member) {
	for _, m := range v.o.members() {
		if e := v.members[m.ID]; !m.Removed && e != nil && (m.ID == v.o.Self.ID || v.o.proven(m, e)) {
			nodes = append(nodes, m)
		}
	}
	return nodes
}

// Waiting are the names of members that ask for keys and have not all of them;
// unproven are those of them that do not prove that they know the secret.
func (v *View) Waiting() (waiting, unproven []string) {
	for _, m := range v.o.members() {
		e := v.members[m.ID]
		if e == nil || m.Removed {
			continue
		}
		for _, r := range v.records {
			if r.GetCopies()[m.ID] == nil {
				waiting = append(waiting, m.Name)
				if m.ID != v.o.Self.ID && !v.o.proven(m, e) {
					unproven = append(unproven, m.Name)
				}
				break
			}
		}
	}
	return waiting, unproven
}

// Forget removes a node from the records of a table: its public key, and what is sealed to
// that. A node that has destroyed its private key does so before it publishes another one.
func Forget(records iter.Seq2[string, []byte], node uint64) (c Change, err error) {
	for id, raw := range records {
		switch {
		case id == nodeID(node):
			c.Deletes = append(c.Deletes, id)
		case strings.HasPrefix(id, keyPrefix):
			r := &KeyRecord{}
			if err := proto.Unmarshal(raw, r); err != nil {
				return Change{}, fmt.Errorf("record %s: %w", id, err)
			}
			if r.Copies[node] == nil {
				continue
			}
			delete(r.Copies, node)
			if err := c.put(id, r); err != nil {
				return Change{}, err
			}
		}
	}
	return c, nil
}
