package node

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"

	"ssod/cluster/membership"
	"ssod/cluster/placement"
	"ssod/cluster/secret"
	"ssod/cluster/transport"
	"ssod/httpfront/api/admin"
	"ssod/persistence"
	"ssod/persistence/level"
)

// joinPause is between two attempts to join.
const joinPause = 500 * time.Millisecond

// errNobody says that no member of the cluster is known yet.
var errNobody = errors.New("no member of a cluster is found yet; where there is none, have one node found it: ssoctl init")

// join makes a node with an empty data directory a member of the cluster. It retries until
// it succeeds: the others may start later. If there is no cluster yet, an operator has one
// node found it ([Node.found]).
func (n *Node) join(ctx context.Context) error {
	defer close(n.entered)
	if !n.config.clustered() {
		return nil
	}
	if err := n.config.fixPorts(); err != nil {
		return err
	}
	known, exists, err := persistence.ReadIdentity(n.config.Data)
	if err != nil {
		return err
	}
	name := cmp.Or(known.Node, n.config.Name, n.config.DefaultName)
	if err := n.loadCredentials(name); err != nil {
		return err
	}
	if exists || len(n.config.Join) == 0 {
		return nil
	}
	if err := n.openGossip(membership.Meta{}, name); err != nil {
		return err
	}
	if n.joined, err = n.enter(ctx, name); err != nil {
		return fmt.Errorf("join the cluster: %w", err)
	}
	if n.joined == nil {
		return nil
	}
	if err := os.MkdirAll(n.config.Data, 0o700); err != nil {
		return err
	}
	_, err = n.makeSealingKey()
	return err
}

// loadCredentials reads what this node shows to others.
func (n *Node) loadCredentials(name string) (err error) {
	c := &n.config
	if c.PeerCert == "" {
		return nil
	}
	n.credentials, err = transport.LoadCredentials(transport.Files{Cert: c.PeerCert, Key: c.PeerKey, CA: c.PeerCA}, name)
	return err
}

// openGossip starts the gossip.
func (n *Node) openGossip(m membership.Meta, name string) (err error) {
	c := &n.config
	n.gossip, err = membership.Open(membership.Config{
		Name: name, Incarnation: n.incarnation(), Meta: m, Listen: c.Gossip, Advertise: c.Advertise, Join: n.seeds(), Keys: n.secrets.For(secret.Gossip),
		Log: n.log,
	})
	if err != nil {
		return err
	}
	n.own("membership", closing(n.gossip.Close))
	return nil
}

// seeds are where others may be found: where the operator says, and where the
// registry had them.
func (n *Node) seeds() []string {
	all := slices.Clone(n.config.Join)
	if n.nodes == nil {
		return all
	}
	for _, p := range n.nodes.Nodes() {
		if p.ID != n.me.ID && p.State != placement.NodeState_REMOVED && p.Leave != placement.Leave_LEFT && p.Gossip != "" && !slices.Contains(all, p.Gossip) {
			all = append(all, p.Gossip)
		}
	}
	return all
}

// incarnation tells this run of the node from its others.
func (n *Node) incarnation() uint64 { return uint64(n.started.UnixNano()) }

// enter asks the known members until one admits this node. It returns nil when this node
// is to found a cluster.
func (n *Node) enter(ctx context.Context, name string) (*placement.Membership, error) {
	again := time.NewTicker(joinPause)
	defer again.Stop()
	token := make([]byte, 16)
	rand.Read(token) // never fails since Go 1.24
	told := ""
	for {
		m, err := n.askMembers(ctx, name, token)
		switch {
		case err == nil:
			n.log.Info("joined", "cluster", m.Cluster, "node", name, "id", m.ID)
			return &m, nil
		case errors.Is(err, placement.ErrRefused):
			return nil, err
		}
		n.waitFor(func() string { return fmt.Sprintf("joining: %v", err) })
		if why := uncounted(err.Error()); why != told {
			n.log.Info("not taken in yet", "error", err)
			told = why
		}
		select {
		case <-again.C:
		case order := <-n.founding:
			err := n.foundable(name)
			order <- err
			if err == nil {
				n.log.Info("founding a cluster", "node", name)
				return nil, nil
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// found has a node that waits for a cluster found one. So nodes with the same flags, all
// to join each other, found none by accident: neither the first that starts, nor one
// whose disk was lost.
func (n *Node) found(ctx context.Context) error {
	order := make(chan error, 1)
	select {
	case n.founding <- order:
		return <-order
	case <-n.entered:
		return fmt.Errorf("%w, and this node is a member", admin.ErrFounded)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// foundable reports why no cluster can be founded: there is one. Every address to
// join is tried once more, and what cannot be reached does not count.
func (n *Node) foundable(name string) error {
	n.gossip.Look()
	for _, m := range n.gossip.Members() {
		if m.Meta.NodeID != 0 && !(m.Name == name && m.Incarnation == n.incarnation()) {
			return fmt.Errorf("%w: node %s at %s is a member; this node joins it", admin.ErrFounded, m.Name, m.Addr)
		}
	}
	return nil
}

// askMembers asks each member that gossip knows, until one answers for the leader
// of the meta shard.
func (n *Node) askMembers(ctx context.Context, name string, token []byte) (placement.Membership, error) {
	// The answer of a member says more than the silence of another.
	var answers []error
	silent := []error{n.gossip.Trouble()}
	stranger := transport.Stranger{Name: name, Secrets: n.secrets, Credentials: n.credentials}
	for _, m := range n.gossip.Members() {
		if m.State != membership.Alive || m.Meta.NodeID == 0 || m.Name == name && m.Incarnation == n.incarnation() {
			continue
		}
		ask := func(ctx context.Context, request []byte) ([]byte, error) {
			ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			return stranger.Ask(ctx, m.Name, m.Meta.Raft, request)
		}
		got, err := placement.Join(ctx, ask, placement.Applicant{
			Node: n.self(name), Shards: n.config.Shards, Clock: n.config.Clock(), Settings: n.settings.Config().CodeSettings(), Token: token,
		})
		if err == nil || errors.Is(err, placement.ErrRefused) || errors.Is(err, placement.ErrWaits) {
			return got, err
		}
		if errors.Is(err, placement.ErrTemporary) {
			answers = append(answers, err)
		} else {
			silent = append(silent, err)
		}
	}
	return placement.Membership{}, cmp.Or(distinct(answers), errors.Join(silent...), errNobody)
}

// distinct joins errors, of those that say the same the first.
func distinct(errs []error) error {
	var all []error
	for _, err := range errs {
		if !slices.ContainsFunc(all, func(other error) bool { return other.Error() == err.Error() }) {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// self is this node as others should know it.
func (n *Node) self(name string) placement.Node {
	c := &n.config
	return placement.Node{
		Name: name, RPC: c.advertised(c.RPC), Raft: c.advertised(c.Raft), HTTP: c.advertised(c.HTTP),
		Admin: c.Admin, Gossip: c.advertised(c.Gossip), Version: Version(), Zone: c.Zone, Levels: level.Known(),
	}
}

// uncounted removes the digits of a text, so that a countdown is not logged again.
func uncounted(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, text)
}
