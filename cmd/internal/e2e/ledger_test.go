package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// fact is something that the service has acknowledged and must not forget. A
// check returns [errLost] when it is gone; other errors mean that the check
// itself could not be made.
type fact struct {
	what  string
	check func(ctx context.Context) error
}

// errLost says that an acknowledged fact is not true any more.
var errLost = errors.New("acknowledged and lost")

// ledger is the list of facts that must hold now. A fact is taken out before
// a call that may change it, and its successor put in when that call was
// acknowledged; in between, after a crash, either may be true.
type ledger struct {
	mu    sync.Mutex
	facts map[int]fact
	next  int
	total int // facts ever acknowledged
	// look makes a check; nil: once, whatever comes of it.
	look func(ctx context.Context, f fact) error
}

func newLedger() *ledger { return &ledger{facts: map[int]fact{}} }

// add enters a fact and returns the entry, to strike it.
func (l *ledger) add(what string, check func(context.Context) error) (entry int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	l.total++
	l.facts[l.next] = fact{what, check}
	return l.next
}

func (l *ledger) strike(entry int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.facts, entry)
}

// since returns the entries after a given one, oldest first.
func (l *ledger) since(entry int) []int {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []int
	for e := range l.facts {
		if e > entry {
			out = append(out, e)
		}
	}
	slices.Sort(out)
	return out
}

// audit checks entries, several at a time, and returns those that were lost.
func (l *ledger) audit(ctx context.Context, entries []int) (lost []string, err error) {
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for _, e := range entries {
		l.mu.Lock()
		f := l.facts[e]
		l.mu.Unlock()
		group.Go(func() error {
			err := l.check(ctx, f)
			if errors.Is(err, errLost) {
				mu.Lock()
				lost = append(lost, fmt.Sprintf("%s: %v", f.what, err))
				mu.Unlock()
				return nil
			}
			return err
		})
	}
	return lost, group.Wait()
}

func (l *ledger) check(ctx context.Context, f fact) error {
	if l.look != nil {
		return l.look(ctx, f)
	}
	return f.check(ctx)
}

// lostUnless turns an answer that contradicts a fact into [errLost] and keeps
// errors of the connection as they are.
func lostUnless(err error) error {
	if errors.Is(err, errStatus) {
		return fmt.Errorf("%w: %w", errLost, err)
	}
	return err
}

// isMember checks that the device's token still refreshes and that the device
// sees itself.
func (a *app) isMember(d *device) func(context.Context) error {
	token := *d // the token as it is now
	return func(ctx context.Context) error {
		d := token
		if err := lostUnless(a.refresh(ctx, &d)); err != nil {
			return err
		}
		devices, err := a.list(ctx, &d)
		if _, ok := devices[d.id]; err == nil && !ok {
			return fmt.Errorf("%w: not in the list", errLost)
		}
		return lostUnless(err)
	}
}

// isGone checks that an unlinked device's token does not refresh and that its
// host does not see it.
func (a *app) isGone(host, guest *device) func(context.Context) error {
	h, g := *host, *guest
	return func(ctx context.Context) error {
		h, g := h, g
		answer, err := a.send(ctx, "GET", "serviceToken", &g, nil)
		if err = lostUnless(want(answer, err, http.StatusBadRequest, nil)); err != nil {
			return err
		}
		devices, err := a.list(ctx, &h)
		if _, there := devices[g.id]; err == nil && there {
			return fmt.Errorf("%w: still in the list", errLost)
		}
		return lostUnless(err)
	}
}

// isUsed checks that a code that was redeemed does not admit another device.
func (a *app) isUsed(code, guest string) func(context.Context) error {
	return func(ctx context.Context) error {
		answer, err := a.send(ctx, "POST", "serviceToken", newDevice("late "+guest), nil, "X-SSO-LINK", code)
		return lostUnless(want(answer, err, http.StatusBadRequest, nil))
	}
}

// isLive checks that a code admits a device. That spends the code: a later
// check, when the same device may not repeat it any more, is whether the device
// is still a member.
func (a *app) isLive(code, guest string) func(context.Context) error {
	var mu sync.Mutex
	var admitted func(context.Context) error
	return func(ctx context.Context) error {
		mu.Lock()
		defer mu.Unlock()
		if admitted != nil {
			return admitted(ctx)
		}
		d := newDevice(guest)
		err := a.redeem(ctx, d, code)
		if err == nil {
			admitted = a.isMember(d)
		}
		return lostUnless(err)
	}
}

// isApproved checks that a software statement still registers clients.
func (n *node) isApproved(signed string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, _, err := n.register(ctx, signed)
		return lostUnless(err)
	}
}

// isRevoked checks that an access token is refused because its client is
// revoked.
func (a *app) isRevoked() func(context.Context) error {
	revoked := *a
	return func(ctx context.Context) error {
		d := newDevice("revoked")
		d.token = "x.y.z"
		answer, err := revoked.send(ctx, "GET", "serviceToken", d, nil)
		var out struct {
			Error struct{ Code string }
		}
		if err = lostUnless(want(answer, err, http.StatusUnauthorized, &out)); err != nil {
			return err
		}
		if out.Error.Code != "invalid_access_token_client_application" {
			return fmt.Errorf("%w: refused as %s", errLost, out.Error.Code)
		}
		return nil
	}
}
