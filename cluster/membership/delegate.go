package membership

import (
	"errors"
	"fmt"

	"github.com/hashicorp/memberlist"

	"ssod/persistence"
)

// delegate is what memberlist calls, under its own locks: it must not wait.
type delegate struct{ g *Gossip }

// NodeMeta implements [memberlist.Delegate].
func (d delegate) NodeMeta(int) []byte {
	d.g.mu.Lock()
	defer d.g.mu.Unlock()
	return d.g.meta
}

// NotifyMsg implements [memberlist.Delegate]: a member leaves.
func (d delegate) NotifyMsg(b []byte) { d.g.goodbye(string(b)) }

// Nothing but membership is gossiped.

func (delegate) GetBroadcasts(_, _ int) [][]byte { return nil }
func (delegate) LocalState(bool) []byte          { return nil }
func (delegate) MergeRemoteState([]byte, bool)   {}

// NotifyJoin implements [memberlist.EventDelegate].
func (d delegate) NotifyJoin(n *memberlist.Node) { d.g.note(n, Alive) }

// NotifyUpdate implements [memberlist.EventDelegate].
func (d delegate) NotifyUpdate(n *memberlist.Node) { d.g.note(n, Alive) }

// NotifyLeave implements [memberlist.EventDelegate].
func (d delegate) NotifyLeave(n *memberlist.Node) { d.g.note(n, Dead) }

// NotifyAlive implements [memberlist.AliveDelegate]: it keeps others out.
func (d delegate) NotifyAlive(n *memberlist.Node) error { return d.g.admit(n) }

// Why a member is not let in.
var (
	// ErrCluster: it is of another cluster.
	ErrCluster = errors.New("another cluster")
	// ErrIncarnation: it is of the same cluster before or after another recovery from a
	// lost majority.
	ErrIncarnation = errors.New("another incarnation of this cluster")
)

// admit refuses members of other clusters, and those that cannot be understood.
func (g *Gossip) admit(n *memberlist.Node) error {
	m, err := read(n)
	g.mu.Lock()
	defer g.mu.Unlock()
	if err == nil && g.cluster != "" && m.Meta.Cluster != "" && m.Meta.Cluster != g.cluster {
		err = apart(g.cluster, m)
	}
	if err != nil && !g.refused[n.Name] && len(g.refused) < maxGone {
		g.refused[n.Name] = true // say it once
		g.cfg.Log.Warn("a node is not let in", "addr", n.Address(), "error", err)
	}
	if errors.Is(err, ErrCluster) || errors.Is(err, ErrIncarnation) {
		g.foreign = err
	}
	return err
}

// apart is the error for a member of another cluster or another incarnation of this one.
func apart(cluster string, m Member) error {
	if persistence.Founding(cluster) == persistence.Founding(m.Meta.Cluster) {
		return fmt.Errorf("%w: node %q at %s is of %s, this one of %s: the cluster was recovered without one of them; "+
			"move the data directory of that one aside and start it with --join", ErrIncarnation, m.Name, m.Addr, m.Meta.Cluster, cluster)
	}
	return fmt.Errorf("%w: node %q at %s is of %q; one of the two was founded on its own: "+
		"start it with an empty data directory and --join", ErrCluster, m.Name, m.Addr, m.Meta.Cluster)
}

// note notes a change.
func (g *Gossip) note(n *memberlist.Node, s State) {
	m, err := read(n)
	if err != nil {
		return // it was not let in
	}
	m.State = s
	g.mu.Lock()
	defer g.mu.Unlock()
	g.members.put(n.Name, m)
	g.wake.Send()
}

// goodbye notes that a member has left. Memberlist does not tell its delegates why a member
// is gone.
func (g *Gossip) goodbye(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if m, ok := g.members[key]; ok && key != g.self() {
		m.State = Left
		g.members.put(key, m)
		g.wake.Send()
	}
}

// read copies a member, because memberlist changes its nodes.
func read(n *memberlist.Node) (m Member, err error) {
	m.Addr = n.Address()
	if m.Name, m.Incarnation, err = splitName(n.Name); err != nil {
		return m, err
	}
	m.Meta, err = decodeMeta(n.Meta)
	return m, err
}
