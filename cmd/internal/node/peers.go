package node

import (
	"context"
	"crypto/x509"
	"fmt"
	"sync"
	"time"

	"ssod/actors"
	"ssod/cluster"
	"ssod/cluster/placement"
	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/cluster/stream"
	"ssod/cluster/transport"
	"ssod/httpfront/api/registration"
	"ssod/httpfront/token/keys"
)

// ownersWait is how long a starting node waits for the owners of all shards. Then it
// serves what it can, and accepts leads: when two nodes of three start together and the
// one that leads the tables has a clock that is ahead, the other can succeed it only then.
const ownersWait = 10 * time.Second

// lead opens the node's shards and the cluster's tables.
func (n *Node) lead(ctx context.Context) error {
	steps := []func(context.Context) error{n.leadAlone}
	if n.config.clustered() {
		steps = []func(context.Context) error{n.openNetwork, n.openEngine, n.place, n.introduce, n.meet, n.settle}
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	n.compareSettings()
	return n.countLeads()
}

func (n *Node) engineConfig() replica.Config {
	return replica.Config{
		Node: core.NodeID(n.store.Identity().NodeID), Shards: n.store.Identity().Shards,
		Log: n.store.Log(), State: n.store, Level: n.store.Level, Registerer: n.registry, Fatal: n.broken, DiskJudged: n.noteDisk,
		Clock: n.config.Clock, Confirmed: n.watch.Confirmed,
	}
}

// openNetwork listens for other nodes, which are not answered yet.
func (n *Node) openNetwork(context.Context) (err error) {
	id := n.store.Identity()
	n.me = n.self(id.Node)
	n.me.ID = placement.NodeID(id.NodeID)
	if err := n.boot(); err != nil {
		return err
	}
	notes, err := n.store.Peers()
	if err != nil {
		return err
	}
	n.network, err = transport.Open(transport.Config{
		Cluster: id.Cluster, Node: transport.Peer{ID: n.me.ID, Name: n.me.Name, Addr: n.me.Raft},
		Boots: n.boots, Durable: n.store.Durable, Level: n.store.Level, Notes: notes, Note: n.store.NotePeer,
		Listen: n.config.Raft, Secrets: n.secrets, Credentials: n.credentials, Permit: n.permit, Clock: n.config.Clock,
		Expelled: n.expelled, Claimed: n.noteClaim, Outdated: n.outdated, Copied: n.noteCopy, Log: n.log,
	})
	if err != nil {
		return err
	}
	n.own("network", closing(n.network.Close))
	if err := n.registry.Register(n.network); err != nil {
		return err
	}
	n.nodes = placement.NewRegistry(n.me)
	if n.joined != nil {
		n.nodes = placement.NewRegistry(n.joined.Nodes...)
	}
	return nil
}

// openEngine starts the node's replicas. A founder makes itself the only member of every
// shard.
func (n *Node) openEngine(context.Context) error {
	c := n.engineConfig()
	replicas, err := c.Log.Replicas()
	if err != nil {
		return err
	}
	if n.me.ID == 1 && len(replicas) == 0 {
		if err := replica.Found(c.Log, c.Node, c.Shards); err != nil {
			return err
		}
	}
	c.Address, c.Transport, c.MetaApplied, c.Voice = n.nodes.RPC, n.network, n.metaApplied, replica.Mute
	c.Measured = n.network.Clock
	if n.engine, err = replica.Open(c); err != nil {
		return n.explain(err)
	}
	n.own("shards", closing(n.engine.Close))
	n.startScrubber()
	return nil
}

// metaApplied wakes the tables.
func (n *Node) metaApplied() {
	if p := n.placed.Load(); p != nil {
		p.Applied()
	}
}

// place takes part in the placement of shards.
func (n *Node) place(context.Context) (err error) {
	c := &n.config
	n.placement, err = placement.Start(placement.Config{
		Self: n.me, Cluster: n.store.Identity().Cluster, Founding: c.founding(), Engine: n.engine, Registry: n.nodes,
		Calls: n.network, LastHeard: n.network.LastHeard, Offset: n.network.Offset, SilentFor: c.SilentFor, Lease: c.Lease,
		Free: n.space.on, Need: n.space.need.Load, Met: n.know, Left: n.network.RemovePeer, Certificates: n.shown, Boots: n.boots, Outdated: n.deposed, Levelled: n.levelled,
		Settings: func() map[string]string { return n.settings.Config().CodeSettings() },
		Scrubber: n.scrubber, Finder: n.finder, Pins: n.pins, Events: eventsHere{n}, NotAccepting: true, Binding: binding,
		Clock: c.Clock, Log: n.log,
	})
	if err != nil {
		return err
	}
	n.own("placement", closing(n.placement.Close))
	n.placed.Store(n.placement)
	n.placement.Applied() // what was applied before
	n.shards, n.slots, n.tables = n.placement.Shards(), n.placement.Shards().Slots, n.placement.Tables()
	for _, p := range n.nodes.Nodes() { // before the first connection comes
		switch {
		case p.ID == n.me.ID:
		case p.State == placement.NodeState_REMOVED:
			n.network.RemovePeer(p.ID)
		default:
			n.know(p)
		}
	}
	n.network.Handle(n.placement.Serve)
	n.network.Start(n.engine)
	return nil
}

// settle waits until the node has the cluster's tables and, for a limited time, until they
// are the newest and every shard has an owner.
func (n *Node) settle(ctx context.Context) error {
	n.waitFor(func() string { return "the cluster's tables" + n.strangers() })
	if err := n.placement.AwaitTables(ctx); err != nil {
		return err
	}
	n.waitFor(n.ownersMissing)
	waiting, cancel := ctx, context.CancelFunc(func() {})
	if n.placement.Others() > 0 {
		waiting, cancel = context.WithTimeout(ctx, ownersWait)
	}
	defer cancel()
	for _, await := range []func(context.Context) error{n.awaitIntroduction, n.placement.AwaitContact, n.placement.AwaitOwners} {
		if err := await(waiting); err != nil && ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// reachWait is how long a starting node waits for connections to the actors of owners of
// shards: long enough to dial twice. One of them may be starting itself.
const reachWait = 3 * time.Second

// reachOwners makes the connections that requests to and from this node take, so that none
// of the first waits for a handshake or finds no connection.
func (n *Node) reachOwners(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, reachWait)
	defer cancel()
	var all sync.WaitGroup
	for address := range n.owners() {
		all.Go(func() {
			if err := n.runtime.Reach(waiting, address); err != nil && ctx.Err() == nil {
				n.log.Warn("the owner of shards is not reached yet", "error", err)
			}
		})
	}
	all.Wait()
	return ctx.Err()
}

// owners are the actor addresses of the nodes that own shards, as far as is known.
func (n *Node) owners() map[string]bool {
	owners := map[string]bool{}
	for id := range cluster.ShardID(n.shards.Count() + 1) {
		if owner, known := n.shards.Owner(id); known {
			owners[owner.Address] = true
		}
	}
	return owners
}

// binding are the tables of which a node must not serve an old version: what is revoked
// and which keys are gone.
func binding(table string) bool {
	return table == keys.Table || registration.IsRevocation(table)
}

// cutOff reports whether a request that came at a time must not be served, because this
// node may not know what was revoked or stored by then.
func (n *Node) cutOff(at time.Time) bool {
	return n.placement != nil && (!n.placement.InContact(at) || n.claimed(at) != "")
}

// catchUp waits until this node has the newest tables. A node that is alone has.
func (n *Node) catchUp(ctx context.Context) error {
	if n.placement == nil {
		return nil
	}
	return n.placement.CatchUp(ctx)
}

// remote is how actors reach those of other nodes; nil on a node that is alone.
func (n *Node) remote() *actors.Remote {
	if !n.config.clustered() {
		return nil
	}
	p := stream.Papers{
		Secrets: n.secrets, Cluster: n.store.Identity().Cluster, Self: stream.Member{ID: uint32(n.me.ID), Name: n.me.Name},
		At: func(address string) (stream.Member, bool) {
			p, ok := n.nodes.At(address)
			return stream.Member{ID: uint32(p.ID), Name: p.Name}, ok
		},
		Permit: func(m stream.Member, cert *x509.Certificate) error {
			if m.ID == 0 || m.ID == uint32(n.me.ID) { // who asks to join does so elsewhere
				return fmt.Errorf("%v is no other member", m)
			}
			return n.permit(transport.Peer{ID: placement.NodeID(m.ID), Name: m.Name}, cert)
		},
	}
	if n.credentials != nil {
		p.Server, p.Client = n.credentials.Server(), n.credentials.Client
	}
	return &actors.Remote{Listen: n.config.RPC, Papers: p, Up: n.up}
}

// up reports whether the network, which notices at once when a process ends, is connected
// to the node with an actor address.
func (n *Node) up(address string) bool {
	p, ok := n.nodes.At(address)
	return ok && (p.ID == n.me.ID || n.network.Connected(p.ID))
}

// takeLeads lets others hand leaderships to this node, now that it can serve.
func (n *Node) takeLeads() {
	if n.placement != nil {
		n.placement.Ready()
	}
}

// resign hands this node's leaderships over before it stops.
func (n *Node) resign(ctx context.Context) {
	if n.placement == nil {
		return
	}
	if err := n.placement.Resign(ctx); err != nil {
		n.log.Warn("not all leaderships were handed over", "error", err)
	}
}

var _ cluster.Shards = (*placement.View)(nil)

// know lets the network dial a node of the registry.
func (n *Node) know(p placement.Node) {
	if err := n.network.SetPeer(transport.Peer{ID: p.ID, Name: p.Name, Addr: p.Raft}); err != nil {
		n.log.Warn("a node of the registry is not dialed", "node", p.Name, "error", err)
	}
	n.network.Registered(p.ID, p.Boot)
}
