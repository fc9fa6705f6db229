package placement

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"ssod/cluster/meta"
)

// ErrOutdated says that the registry has a start of this node that its data directory
// does not know: the directory is older than what the node acknowledged, or another
// directory of the same node is in use.
var ErrOutdated = errors.New("the registry has another start of this node")

// boot is the state of registering this start.
type boot struct {
	introduced atomic.Bool   // see [Placement.Introduced]
	registered chan struct{} // closed when it is in the registry
	once       sync.Once
	outdated   sync.Once
}

// register puts this start into the registry, and finds out whether another start has
// replaced it. The change is bound to the version of the table that was judged, so of two
// copies of a directory one is registered and the other learns of it.
func (p *Placement) register(ctx context.Context) {
	contents, me := p.registry.contents.Load(), p.cfg.Boots.Last()
	known, ok := contents.nodes[p.self]
	switch {
	case me.Number == 0, contents.revision == 0, !ok, known.State == NodeState_REMOVED:
	case known.Boot == me:
		p.boot.once.Do(func() { close(p.boot.registered) })
	case !p.cfg.Boots.Follow(known.Boot):
		p.boot.outdated.Do(func() {
			p.cfg.Outdated(fmt.Errorf("%w: number %d, at %s; this one is number %d", ErrOutdated, known.Boot.Number, known.Raft, me.Number))
		})
	case p.isRegistered():
		// The table goes back only while it is being reloaded.
	case p.boot.introduced.Load():
		p.enrol(ctx, contents.revision, known)
	}
}

// enrol writes this start down.
func (p *Placement) enrol(ctx context.Context, revision uint64, known Node) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	known.Boot = p.cfg.Boots.Last()
	err := p.put(ctx, revision, known)
	if err != nil && !errors.Is(err, meta.ErrChanged) {
		p.cfg.Log.Debug("this start is not registered yet", "error", err)
	}
}

func (p *Placement) isRegistered() bool {
	select {
	case <-p.boot.registered:
		return true
	default:
		return false
	}
}

// Introduced says that every other member knows this start, or cannot be reached, so that
// it may be registered.
func (p *Placement) Introduced() {
	p.boot.introduced.Store(true)
	p.wake()
}

// Registered is closed when the registry has this start of the node.
func (p *Placement) Registered() <-chan struct{} { return p.boot.registered }
