package trial

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/cluster"
)

// Steps number the asks that one request sends to an entity, so that a repeated ask finds
// its first answer.
const (
	stepOnly  = 0
	stepUse   = 1
	stepBegin = 2
	stepYield = 3
)

// maxYields bounds how far trials lead to others. Each yields to one with a smaller id or
// one that has begun, so there is an end; two are rare.
const maxYields = 8

// Client asks trials, wherever they live. Its methods fail with the errors of
// [actors.Asker].
type Client struct {
	Asker actors.Asker
}

// Caller is who wants to watch.
type Caller struct {
	MVPD
	Device   []byte // identifier
	Identity []byte // a digest that does not tell whom it names; nil: none was given
	Network  []byte // a digest of the client address; nil: not known
}

// Allowed is what the configuration allows.
type Allowed struct {
	TTL          time.Duration
	MaxResources int // 0: any number
	PerAddress   int // trials that begin from one network in 24 hours; 0: any number
}

func (a Allowed) terms() *Terms {
	return &Terms{TtlMs: a.TTL.Milliseconds(), MaxResources: int64(a.MaxResources)}
}

// Outcome is what became of an authorization.
type Outcome struct {
	ID        []byte // of the trial
	View      *View
	Permitted []bool // by resource; none where the whole trial is no good
	// Crowded: too many trials began from the network, so this one may not.
	Crowded bool
}

// asking is one request about a caller's trial.
type asking struct {
	Client
	Caller
	ctx     context.Context
	request cluster.RequestID
	allowed Allowed
	epoch   uint64
	yielded [][]byte // ids of trials that yield to others, as they were met
}

func (c Client) asking(ctx context.Context, request cluster.RequestID, who Caller, allowed Allowed) (*asking, error) {
	reply, err := actors.Ask[*EpochReply](ctx, c.Asker, who.epoch(), request, stepOnly, &Current{})
	return &asking{c, who, ctx, request, allowed, reply.GetNumber(), nil}, err
}

// Look returns the caller's trial as it is; the id is nil if there is none yet.
func (c Client) Look(ctx context.Context, request cluster.RequestID, who Caller, allowed Allowed) (id []byte, v *View, err error) {
	a, err := c.asking(ctx, request, who, allowed)
	if err != nil {
		return nil, nil, err
	}
	own, err := a.find(who.device(who.Device))
	if err != nil {
		return nil, nil, err
	}
	var named []byte
	if len(who.Identity) > 0 {
		if named, err = a.find(who.identity(who.Identity)); err != nil {
			return nil, nil, err
		}
	}
	id, v, _, err = a.better(own, named)
	return id, v, err
}

// Use plays resources, which are named by labels, under the caller's trial. It begins the
// trial if that has not begun.
func (c Client) Use(ctx context.Context, request cluster.RequestID, who Caller, allowed Allowed, labels []string) (*Outcome, error) {
	a, err := c.asking(ctx, request, who, allowed)
	if err != nil {
		return nil, err
	}
	id, err := a.claim()
	if err != nil {
		return nil, err
	}
	use := &Use{Terms: allowed.terms(), Resources: labels}
	id, reply, err := a.use(id, stepUse, use)
	if err != nil || reply.GetView().GetStanding() != Standing_NEW {
		return &Outcome{ID: id, View: reply.GetView(), Permitted: reply.GetPermitted()}, err
	}
	if refused, err := a.crowded(id); err != nil || refused {
		return &Outcome{ID: id, View: reply.GetView(), Crowded: refused}, err
	}
	use.Begin = true
	id, reply, err = a.use(id, stepBegin, use)
	return &Outcome{ID: id, View: reply.GetView(), Permitted: reply.GetPermitted()}, err
}

// claim finds the trial that counts for the device and the identity, or gives them a new
// one.
func (a *asking) claim() ([]byte, error) {
	var named []byte
	var err error
	if len(a.Identity) > 0 {
		if named, err = a.find(a.identity(a.Identity)); err != nil {
			return nil, err
		}
	}
	if named == nil {
		named = a.draw()
	}
	own, err := a.claimFor(a.device(a.Device), named)
	if err != nil || len(a.Identity) == 0 {
		return own, err
	}
	if named, err = a.claimFor(a.identity(a.Identity), own); err != nil || bytes.Equal(own, named) {
		return own, err
	}
	return a.settle(own, named)
}

// settle decides between the trials of the device and of the identity. One that has not
// begun yields.
func (a *asking) settle(own, named []byte) ([]byte, error) {
	for range maxYields {
		best, _, other, err := a.better(own, named)
		if err != nil || other == nil {
			return best, err
		}
		yield := &Yield{To: best, Terms: a.allowed.terms()}
		v, err := actors.Ask[*View](a.ctx, a.Asker, a.Trial(other), a.request, stepYield, yield)
		if err != nil || bytes.Equal(v.GetYields(), best) {
			a.yielded = append(a.yielded, other)
			return best, err
		}
		// It has begun meanwhile, or it yields to a third one.
	}
	return nil, fmt.Errorf("%w: trials begin again and again", actors.ErrUnavailable)
}

// better returns the one of two trials that counts, and the other one if that is to yield.
// Either may be nil.
func (a *asking) better(own, named []byte) (best []byte, v *View, yields []byte, err error) {
	own, mine, err := a.look(own)
	if err != nil {
		return nil, nil, nil, err
	}
	named, theirs, err := a.look(named)
	switch {
	case err != nil:
		return nil, nil, nil, err
	case named == nil, bytes.Equal(own, named):
		return own, mine, nil, nil
	case own == nil:
		return named, theirs, nil, nil
	}
	if prefers(own, mine, named, theirs) {
		own, mine, named, theirs = named, theirs, own, mine
	}
	if mine.GetBeganMs() != 0 { // and so has the other one
		own = nil
	}
	return named, theirs, own, nil
}

// prefers reports whether trial a counts rather than b: one that has begun, the earlier the
// better; else the smaller id, so that all requests decide alike.
func prefers(a []byte, of *View, b []byte, than *View) bool {
	switch x, y := of.GetBeganMs(), than.GetBeganMs(); {
	case x == y:
		return bytes.Compare(a, b) < 0
	case x == 0 || y == 0:
		return y == 0
	default:
		return x < y
	}
}

// look asks a trial, or the one that it yields to.
func (a *asking) look(id []byte) ([]byte, *View, error) {
	for range maxYields {
		if id == nil {
			return nil, &View{}, nil
		}
		v, err := actors.Ask[*View](a.ctx, a.Asker, a.Trial(id), a.request, stepOnly, &Look{Terms: a.allowed.terms()})
		if err != nil || len(v.GetYields()) == 0 {
			return id, v, err
		}
		a.yielded = append(a.yielded, id)
		id = v.GetYields()
	}
	return nil, nil, errChain
}

// use asks a trial, or the one that it yields to.
func (a *asking) use(id []byte, step uint32, m *Use) ([]byte, *UseReply, error) {
	for range maxYields {
		reply, err := actors.Ask[*UseReply](a.ctx, a.Asker, a.Trial(id), a.request, step, m)
		if err != nil || len(reply.GetView().GetYields()) == 0 {
			return id, reply, err
		}
		a.yielded = append(a.yielded, id)
		id = reply.GetView().GetYields()
	}
	return nil, nil, errChain
}

// errChain is a fault of ours.
var errChain = fmt.Errorf("over %d trials yield to one another", maxYields)

func (a *asking) find(key actors.Address) ([]byte, error) {
	reply, err := actors.Ask[*FindReply](a.ctx, a.Asker, key, a.request, stepOnly, &Find{Epoch: a.epoch})
	return some(reply.GetTrial()), err
}

func (a *asking) claimFor(key actors.Address, id []byte) ([]byte, error) {
	claim := &Claim{Epoch: a.epoch, Trial: id, TtlMs: a.allowed.TTL.Milliseconds()}
	reply, err := actors.Ask[*ClaimReply](a.ctx, a.Asker, key, a.request, stepUse, claim)
	return some(reply.GetTrial()), err
}

// some is nil for an id that is empty, as protobuf has it between nodes.
func some(id []byte) []byte {
	if len(id) == 0 {
		return nil
	}
	return id
}

// crowded counts a trial that is about to begin, and reports whether there are too many. One
// that yields to it may have been counted in its place, and it may itself have begun, or
// yielded to another, since it was looked at.
func (a *asking) crowded(id []byte) (bool, error) {
	if a.allowed.PerAddress == 0 || len(a.Network) == 0 {
		return false, nil
	}
	for range maxYields {
		charge := &Charge{Trial: id, Most: int64(a.allowed.PerAddress), Yielded: a.yielded}
		reply, err := actors.Ask[*ChargeReply](a.ctx, a.Asker, a.address(a.Network), a.request, stepOnly, charge)
		if err != nil || !reply.GetRefused() {
			return false, err
		}
		now, v, err := a.look(id)
		switch {
		case err != nil, v.GetBeganMs() != 0:
			return false, err
		case bytes.Equal(now, id):
			return true, nil
		}
		id = now
	}
	return false, errChain
}

// draw is the id of a new trial. It follows from the request, so a repeat draws the same.
func (a *asking) draw() []byte {
	sum := sha256.Sum256(append([]byte("trial\x00"), a.request[:]...))
	return sum[:16]
}

// ResetDevice makes a device new to an MVPD. An identity keeps the trial that it shared
// with the device.
func (c Client) ResetDevice(ctx context.Context, request cluster.RequestID, m MVPD, device []byte) error {
	return c.forget(ctx, request, m.device(device))
}

// ResetIdentity makes an identity new, named by its digest.
func (c Client) ResetIdentity(ctx context.Context, request cluster.RequestID, m MVPD, digest []byte) error {
	return c.forget(ctx, request, m.identity(digest))
}

// ResetAll makes every device and identity new.
func (c Client) ResetAll(ctx context.Context, request cluster.RequestID, m MVPD) error {
	_, err := actors.Ask[*EpochReply](ctx, c.Asker, m.epoch(), request, stepOnly, &Advance{})
	return err
}

func (c Client) forget(ctx context.Context, request cluster.RequestID, key actors.Address) error {
	_, err := actors.Ask[*intent.ForgetReply](ctx, c.Asker, key, request, stepOnly, &intent.Forget{})
	return err
}

// Chain are the ids of the trials that a key leads to: its own, and those that yielded to
// one another. A key that was reset leads to none.
func (c Client) Chain(ctx context.Context, request cluster.RequestID, m MVPD, key actors.Identity) (ids [][]byte, err error) {
	reply, err := actors.Ask[*FindReply](ctx, c.Asker, actors.Address{Kind: KeyKind, Identity: key}, request, stepOnly, &Find{})
	for id := reply.GetTrial(); err == nil && len(id) > 0 && len(ids) < maxYields; {
		ids = append(ids, id)
		var v *View
		v, err = actors.Ask[*View](ctx, c.Asker, m.Trial(id), request, stepOnly, &Look{})
		id = v.GetYields()
	}
	return ids, err
}
