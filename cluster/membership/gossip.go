package membership

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"ssod/cluster"
	"ssod/cluster/wait"
)

// Gossip is this node's part in the gossip.
type Gossip struct {
	cfg    Config
	ring   *memberlist.Keyring // nil without encryption
	list   *memberlist.Memberlist
	log    *logLines       // of memberlist
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	tasks  sync.WaitGroup
	wake   wait.Signal // members changed

	mu       sync.Mutex
	meta     []byte
	cluster  string
	members  members
	refused  map[string]bool // members that were not let in, by name
	watchers cluster.Watchers[struct{}]
	trouble  error // of the last attempt to join
	foreign  error // why a node was not let in
}

// Open listens, announces this node and looks for others, without waiting for any.
func Open(cfg Config) (*Gossip, error) {
	g, err := open(cfg.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("membership: %w", err)
	}
	return g, nil
}

func open(cfg Config) (*Gossip, error) {
	g := &Gossip{
		cfg: cfg, cluster: cfg.Meta.Cluster, wake: wait.NewSignal(),
		log: newLogLines(cfg.Log), members: members{}, refused: map[string]bool{},
	}
	var err error
	if g.meta, err = cfg.Meta.encode(); err != nil {
		return nil, err
	}
	mc, err := cfg.memberlist()
	if err != nil {
		return nil, err
	}
	g.ring, mc.Logger = mc.Keyring, log.New(g.log, "", 0)
	mc.Delegate, mc.Events, mc.Alive = delegate{g}, delegate{g}, delegate{g}
	if g.list, err = memberlist.Create(mc); err != nil {
		return nil, err
	}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.tasks.Go(g.notify)
	g.tasks.Go(g.join)
	return g, nil
}

// Close ends the gossip without [Gossip.Leave]: others will find out. It waits for all
// goroutines.
func (g *Gossip) Close() error {
	g.cancel()
	err := g.list.Shutdown()
	g.tasks.Wait()
	g.log.close()
	return err
}

// Addr is where this node is reached.
func (g *Gossip) Addr() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.members[g.self()].Addr
}

// self is the name that memberlist knows this member by.
func (g *Gossip) self() string { return memberName(g.cfg.Name, g.cfg.Incarnation) }

// Members returns the known members, this one included, by name and incarnation.
func (g *Gossip) Members() []Member {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.members.sorted()
}

// SetMeta changes what this node announces, without waiting for others.
func (g *Gossip) SetMeta(m Meta) error {
	b, err := m.encode()
	if err != nil {
		return err
	}
	g.mu.Lock()
	g.meta, g.cluster = b, m.Cluster
	clear(g.refused)
	g.foreign = nil
	g.mu.Unlock()
	// It spreads in the background: a time-out is no failure.
	_ = g.list.UpdateNode(time.Nanosecond)
	return nil
}

// Watch calls f after members changed, from one goroutine at a time; several changes may
// be one call. stop ends the watch.
func (g *Gossip) Watch(f func()) (stop func()) { return g.watchers.Add(func(struct{}) { f() }) }

// notify calls the watchers.
func (g *Gossip) notify() {
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-g.wake:
			g.watchers.Call(struct{}{})
		}
	}
}

// ErrAlone says that no other node was found yet through the addresses to join.
var ErrAlone = errors.New("no other node found yet")

// Trouble says why no other node is known although there are addresses to join;
// nil when one is, or there are none.
func (g *Gossip) Trouble() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.cfg.Join) == 0 || !g.alone() {
		return nil
	}
	if why := cmp.Or(g.foreign, g.trouble); why != nil {
		return fmt.Errorf("%w: %w", ErrAlone, why)
	}
	return ErrAlone
}

// alone reports whether no other node is alive. The caller holds the lock.
func (g *Gossip) alone() bool {
	for _, m := range g.members {
		if m.State == Alive && m.Name != g.cfg.Name {
			return false
		}
	}
	return true
}
