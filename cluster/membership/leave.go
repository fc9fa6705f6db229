package membership

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// farewell bounds Leave when its context has no deadline.
const farewell = 2 * time.Second

// Leave tells the others that this node stops on purpose. It listens until Close.
func (g *Gossip) Leave(ctx context.Context) error {
	if err := cmp.Or(ctx.Err(), g.ctx.Err()); err != nil {
		return fmt.Errorf("membership: leave: %w", err)
	}
	within := farewell
	if deadline, ok := ctx.Deadline(); ok {
		within = min(within, time.Until(deadline))
	}
	g.tellAll(ctx)
	if err := g.list.Leave(max(within, time.Millisecond)); err != nil {
		return fmt.Errorf("membership: %w", err)
	}
	return nil
}

// tellAll tells every member, or stops waiting for it when ctx ends.
func (g *Gossip) tellAll(ctx context.Context) {
	told := make(chan struct{})
	g.tasks.Go(func() {
		defer close(told)
		var all sync.WaitGroup
		for _, m := range g.Members() {
			if m.State == Alive && m.Name != g.cfg.Name {
				all.Go(func() { g.tell(m) })
			}
		}
		all.Wait()
	})
	select {
	case <-told:
	case <-ctx.Done():
	}
}

// tell sends one member this one's name. A member that cannot be reached will find out.
func (g *Gossip) tell(m Member) {
	at, err := netip.ParseAddrPort(m.Addr)
	if err != nil {
		return
	}
	to := &memberlist.Node{Name: memberName(m.Name, m.Incarnation), Addr: at.Addr().AsSlice(), Port: at.Port()}
	if err := g.list.SendReliable(to, []byte(g.self())); err != nil {
		g.cfg.Log.Debug("farewell", "node", m.Name, "error", err)
	}
}
