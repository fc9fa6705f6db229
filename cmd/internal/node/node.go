package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/actors"
	"ssod/actors/linkdirectory"
	"ssod/cluster"
	"ssod/cluster/membership"
	"ssod/cluster/meta"
	"ssod/cluster/pin"
	"ssod/cluster/placement"
	"ssod/cluster/replica"
	"ssod/cluster/secret"
	"ssod/cluster/transport"
	"ssod/cluster/wallclock"
	"ssod/httpfront"
	"ssod/httpfront/api/admin"
	"ssod/httpfront/api/registration"
	"ssod/httpfront/config"
	"ssod/httpfront/degradation"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/token/keys"
	"ssod/httpfront/token/keys/sealing"
	"ssod/httpfront/token/platform"
	"ssod/httpfront/webhook"
	"ssod/persistence"
)

// Node is a running node.
type Node struct {
	config   Config
	log      *slog.Logger
	started  time.Time
	registry *prometheus.Registry
	state    atomic.Value // admin.State
	failed   chan error
	owned    []part

	settings *config.Current
	reloads  *reloads
	reading  reading
	tokens   *admin.Tokens // nil: the admin listener needs none

	admin, health *admin.Server
	store         *persistence.Store
	shards        cluster.Shards
	slots         func() *cluster.Slots // which shard each belongs to
	orphans       orphans
	watch         *wallclock.Watch
	confirmed     *placement.ConfirmedTime
	tables        *meta.Store
	unsealed      sealing.Options // with what the ring opens its keys
	ring          *keys.Ring
	platforms     *platform.Verifier
	clients       *registration.Service
	rules         *degradation.Rules
	mvpds         atomic.Pointer[mvpd.Registry]
	runtime       *actors.Runtime
	front         *httpfront.Server
	webhooks      atomic.Pointer[webhook.Dispatcher] // other nodes ask before it is there
	attacks       linkdirectory.Attacks
	sums          *webhook.Sums

	// Of a node that is not alone:
	credentials *transport.Credentials
	secrets     *secret.Ring
	gossip      *membership.Gossip
	joined      *placement.Membership // nil unless this start joined a cluster
	founding    chan chan error       // orders to found one
	entered     chan struct{}         // closed when there is no cluster to join any more
	me          placement.Node
	nodes       *placement.Registry
	network     *transport.Network
	engine      *replica.Engine
	scrubber    *placement.Scrubber
	pins        *pin.Pins
	finder      *placement.Finder
	placement   *placement.Placement
	placed      atomic.Pointer[placement.Placement]
	divergence  divergence
	space       space
	telling     sync.Mutex // held while others are told by gossip what this node is
	claim       atomic.Pointer[claim]
	boots       persistence.Boots
	out         atomic.Bool   // drained: it serves nothing any more
	attending   func()        // ends the watch of drains; nil: there is none
	introduced  chan struct{} // closed when this node takes part in everything
	copies      copies
	abort       context.CancelCauseFunc // ends the start

	known    sync.Mutex // guards what follows, which health checks read during the start
	identity persistence.Identity
	http     string
	waiting  func() string // what the start waits for
}

// part is a started part and how to end it.
type part struct {
	name string
	stop func(context.Context) error
}

// Start starts a node and returns when it is ready. After a failure nothing is left
// running. A node that was removed from its cluster puts its data aside and joins again.
func Start(ctx context.Context, c Config) (*Node, error) {
	removed, err := marked(c)
	if err != nil {
		return nil, err
	}
	if removed == nil {
		n, err := start(ctx, c)
		var ok bool
		if removed, ok = errors.AsType[*removedError](err); !ok {
			return n, err
		}
	}
	if c, err = removed.anew(c); err != nil {
		return nil, err
	}
	return start(ctx, c)
}

func start(ctx context.Context, c Config) (*Node, error) {
	n := &Node{
		config: c, log: c.logger(), started: time.Now().UTC(), failed: make(chan error, 1),
		introduced: make(chan struct{}), reloads: newReloads(),
		founding: make(chan chan error), entered: make(chan struct{}),
	}
	if n.config.Clock == nil {
		n.config.Clock = time.Now
	}
	n.state.Store(admin.Starting)
	ctx, n.abort = context.WithCancelCause(ctx)
	defer n.abort(nil)
	reporting, reported := context.WithCancel(ctx)
	defer reported()
	go n.reportWaiting(reporting)
	for _, step := range n.steps() {
		n.waitFor(func() string { return step.name })
		if err := step.run(ctx); err != nil {
			if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
				err = cause // the node gave up
			}
			if hung := context.Cause(ctx); errors.Is(hung, replica.ErrDiskHung) {
				return nil, hung // what is left waits for the disk, and the process ends
			}
			stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), Grace)
			defer cancel()
			return nil, errors.Join(err, n.end(stopping))
		}
	}
	n.takeLeads()
	if n.isDrained() {
		n.state.Store(admin.Draining)
	} else {
		n.state.Store(admin.Ready)
	}
	n.attendDrain()
	replay := n.engine.Replay()
	n.log.Info("ready", "node", n.identity.Node, "http", n.HTTP(), "admin", n.Admin(), "took", time.Since(n.started).Round(time.Millisecond).String(),
		"replayed_entries", replay.Entries, "replayed_bytes", replay.Bytes)
	return n, nil
}

// step is one of the start.
type step struct {
	name string // what is waited for meanwhile
	run  func(context.Context) error
}

func (n *Node) steps() []step {
	return []step{
		{"the configuration", n.configure},
		{"the files of secrets", n.takeSecrets},
		{"the admin listener", n.listen},
		{"a cluster to join", n.join},
		{"the store to open", n.open},
		{"the clock to be compared with what is stored", n.watchClock},
		{"the shards to be read", n.lead},
		{"the time that is certain to be read", n.keepTime},
		{"the owners of the shards", n.watchOwners},
		{"the node to be taken back", n.stayOut},
		{"the keys of the cluster and of each realm", n.sign},
		{"the rules of degradation", n.degrade},
		{"the actors", n.act},
		{"connections to the owners of the shards", n.reachOwners},
		{"the public listener", n.serve},
	}
}

// own adds a started part to what [Node.Stop] ends.
func (n *Node) own(name string, stop func(context.Context) error) {
	n.owned = append(n.owned, part{name, stop})
}

// closing adapts a Close without a context.
func closing(f func() error) func(context.Context) error {
	return func(context.Context) error { return f() }
}

// Failed receives the error that ends the node: its store cannot be written any more, the
// others have removed it ([ErrRemoved]), or its data is older than what it promised
// ([ErrOlder]). The process must end, because the outcome of what was in flight is
// unknown. During the start [Start] fails with such an error.
func (n *Node) Failed() <-chan error { return n.failed }

// Stop drains the node and ends it; after ctx it waits for nothing.
func (n *Node) Stop(ctx context.Context) error {
	if n.attending != nil {
		n.attending()
	}
	if !n.out.Load() { // else nothing is served
		n.serveOn(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, Grace)
	defer cancel()
	n.sums.Tell(ctx)
	n.resign(ctx)
	err := n.end(ctx)
	n.log.Info("stopped")
	return err
}

// serveOn serves for the drain delay after the node has turned unready.
func (n *Node) serveOn(ctx context.Context) {
	n.state.Store(admin.Draining)
	n.front.Drain()
	n.log.Info("draining", "delay", n.config.DrainDelay.String())
	delay := time.NewTimer(n.config.DrainDelay)
	defer delay.Stop()
	select {
	case <-delay.C:
	case <-ctx.Done():
	}
}

// end stops everything that was started, the last part first.
func (n *Node) end(ctx context.Context) error {
	var errs []error
	for len(n.owned) > 0 {
		last := n.owned[len(n.owned)-1]
		n.owned = n.owned[:len(n.owned)-1]
		if err := last.stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", last.name, err))
		}
	}
	return errors.Join(errs...)
}

// HTTP is the address of the public listener.
func (n *Node) HTTP() string {
	n.known.Lock()
	defer n.known.Unlock()
	return n.http
}

// Admin is the address of the admin listener.
func (n *Node) Admin() string { return n.admin.Address().String() }

// Health is the address of the health listener; empty when there is none.
func (n *Node) Health() string {
	if n.health == nil {
		return ""
	}
	return n.health.Address().String()
}
