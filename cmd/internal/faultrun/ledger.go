package faultrun

import (
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Ledger has what the service has acknowledged and must not forget.
type Ledger struct {
	load *Load
	mu   sync.Mutex
	// lives are of viewers whose calls have ended; clients those of apps that
	// were revoked.
	lives   []*life
	clients []*app
	// unread counts those that could not be read.
	unread atomic.Int64
}

func (l *Ledger) enter(v *life) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lives = append(l.lives, v)
}

func (l *Ledger) enterApp(a *app) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clients = append(l.clients, a)
}

// Facts is how many viewers and clients there is something to remember of.
func (l *Ledger) Facts() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.lives) + len(l.clients)
}

// auditWithin bounds how long a shard may be without an owner while facts are
// checked.
const auditWithin = 2 * time.Minute

// Audit asks for everything that was acknowledged, of any node. It returns an
// error that says how much cannot be read.
func (l *Ledger) Audit() error {
	var group errgroup.Group
	group.SetLimit(32)
	l.unread.Store(0)
	ask := func(about func() error) {
		group.Go(func() error {
			err := about()
			if err != nil {
				l.unread.Add(1)
			}
			return err
		})
	}
	for _, v := range l.lives {
		ask(func() error { return l.audit(v) })
	}
	for _, a := range l.clients {
		ask(func() error { return l.auditApp(a) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("%d of %d facts cannot be read, one of them: %w", l.unread.Load(), l.Facts(), err)
	}
	return nil
}

// audit checks one life.
func (l *Ledger) audit(v *life) error {
	verdict, a := l.load.Verdict, v.app
	err := l.patiently(func() error {
		devices, err := a.list(v.host)
		if err == nil {
			v.compare(verdict, LostAck, maps.Keys(devices))
		}
		return err
	})
	switch {
	case errors.Is(err, errUnknown):
		return err
	case errors.Is(err, errRefused):
		verdict.Found(LostAck, "%s: the host is no member any more", v.viewer)
	}
	if v.gone != nil && l.patiently(func() error { return a.refresh(v.gone) }) == nil {
		verdict.Found(Resurrected, "%s: an unlinked device got a token", v.viewer)
	}
	if v.used != "" && l.patiently(func() error { return a.redeem(newDevice(v.viewer+"/auditor"), v.used) }) == nil {
		verdict.Found(DoubleRedeem, "%s: a used code admitted another device", v.viewer)
	}
	return errors.Join(unlessRefused(err), l.auditLive(v))
}

// auditLive spends the code that nobody has redeemed yet.
func (l *Ledger) auditLive(v *life) error {
	if v.live == "" {
		return nil
	}
	third := newDevice(v.viewer + "/third")
	err := l.patiently(func() error { return v.app.redeem(third, v.live) })
	switch {
	case errors.Is(err, errRefused):
		l.load.Verdict.Found(LostAck, "%s: its unused code admits nobody", v.viewer)
	case err == nil:
		v.used, v.live, v.state[third.id] = v.live, "", in
	}
	return unlessRefused(err)
}

// auditApp checks that a client that was revoked is refused.
func (l *Ledger) auditApp(a *app) error {
	err := l.patiently(func() error { return a.refused() })
	if err != nil && !errors.Is(err, errUnknown) {
		l.load.Verdict.Found(LostAck, "a revoked client of %s: %v", a.realm, err)
		return nil
	}
	return err
}

func unlessRefused(err error) error {
	if errors.Is(err, errRefused) {
		return nil
	}
	return err
}

// patiently asks for a fact until something was lost: then it asks once.
func (l *Ledger) patiently(ask func() error) error {
	if l.unread.Load() > 0 {
		return ask()
	}
	return patiently(ask)
}

// patiently asks again while the answer is that a shard has no owner.
func patiently(ask func() error) error { return patientlyFor(auditWithin, ask) }

func patientlyFor(within time.Duration, ask func() error) error {
	deadline := time.Now().Add(within)
	for {
		err := ask()
		if !errors.Is(err, errUnknown) || time.Now().After(deadline) {
			return err
		}
		<-time.After(100 * time.Millisecond)
	}
}
