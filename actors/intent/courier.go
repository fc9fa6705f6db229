package intent

import (
	"context"
	"sync"
	"time"

	"ssod/actors"
)

const (
	// maxRunning bounds the entities that a courier works for at once.
	maxRunning = 64
	// runTime is how long one run may take.
	runTime = 10 * time.Second
)

// Courier carries out overdue intents in the background, for the entities of one node.
// Entities are made before the runtime exists, so it begins to work at [Courier.Start].
type Courier struct {
	mu      sync.Mutex
	asker   actors.Asker        // nil: not started, or closed
	running map[string]struct{} // makers, by kind and encoded identity
	ctx     context.Context
	cancel  context.CancelFunc
	all     sync.WaitGroup
}

// NewCourier returns a courier that does nothing yet.
func NewCourier() *Courier {
	ctx, cancel := context.WithCancel(context.Background())
	return &Courier{running: make(map[string]struct{}), ctx: ctx, cancel: cancel}
}

// Start lets the courier work through asker.
func (c *Courier) Start(asker actors.Asker) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() == nil {
		c.asker = asker
	}
}

// Close ends what is running and waits for it.
func (c *Courier) Close() {
	c.mu.Lock()
	c.asker = nil
	c.mu.Unlock()
	c.cancel()
	c.all.Wait()
}

// Take carries out intents of an entity, unless it does so already or is too busy: then
// the entity offers them again. It returns at once.
func (c *Courier) Take(from actors.Address, open []*Intent) {
	name := from.Kind + "\x00" + from.Identity.Encode()
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, busy := c.running[name]; busy || c.asker == nil || len(c.running) == maxRunning {
		return
	}
	c.running[name] = struct{}{}
	asker := c.asker
	c.all.Go(func() {
		ctx, cancel := context.WithTimeout(c.ctx, runTime)
		defer cancel()
		_ = Run(ctx, asker, from, open) // what is left is offered again
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.running, name)
	})
}

// Nudge takes intents that are overdue at the time of a turn, or all when the turn is a
// [Resume]. A nil courier has none.
func (c *Courier) Nudge(from actors.Address, open []*Intent, t *actors.Turn) {
	_, resumes := t.Command().(*Resume)
	if len(open) > 0 && (resumes || Overdue(open, t.Now())) {
		c.Take(from, open)
	}
}
