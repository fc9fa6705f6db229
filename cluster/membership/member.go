package membership

import (
	"cmp"
	"maps"
	"slices"
)

// State is what a member looks like.
type State string

const (
	// Alive: it answers this node or others.
	Alive State = "alive"
	// Dead: it does not answer any more, or has restarted.
	Dead State = "dead"
	// Left: it stopped on purpose.
	Left State = "left"
)

// Member is a process of a node.
type Member struct {
	Name        string
	Incarnation uint64
	// Addr is its gossip address.
	Addr  string
	State State
	Meta  Meta
}

// maxGone is how many members that are not alive are remembered.
const maxGone = 64

// members are the known members, this one included, by memberlist's name.
type members map[string]Member

// sorted is all of them, by name and incarnation.
func (ms members) sorted() []Member {
	return slices.SortedFunc(maps.Values(ms), func(a, b Member) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Incarnation, b.Incarnation))
	})
}

// put notes a member. A member that is alive at an address is the only one there: an earlier
// process of the same node is dead. One that has left comes back as another member.
func (ms members) put(key string, m Member) {
	if ms[key].State == Left {
		m.State = Left
	}
	ms[key] = m
	if m.State == Alive {
		for k, old := range ms {
			if k != key && old.Name == m.Name && old.Addr == m.Addr && old.State == Alive && old.Incarnation < m.Incarnation {
				old.State = Dead
				ms[k] = old
			}
		}
	}
	ms.forget()
}

// forget drops members that are gone: all but the latest of each node, and some if there
// are more than [maxGone].
func (ms members) forget() {
	latest := make(map[string]uint64)
	for _, m := range ms {
		latest[m.Name] = max(latest[m.Name], m.Incarnation)
	}
	gone := 0
	for k, m := range ms {
		if m.State == Alive {
			continue
		}
		if gone++; m.Incarnation < latest[m.Name] || gone > maxGone {
			delete(ms, k)
		}
	}
}

// lost are the addresses of dead nodes of which no other process is alive.
func (ms members) lost() []string {
	alive := make(map[string]bool)
	for _, m := range ms {
		alive[m.Name] = alive[m.Name] || m.State == Alive
	}
	var all []string
	for _, m := range ms.sorted() {
		if m.State == Dead && !alive[m.Name] {
			all = append(all, m.Addr)
		}
	}
	return all
}
