package faultrun

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
)

// viewer has a profile with a few devices and makes its calls one after
// another, so that it knows what each answer must be. A device or a code whose
// call had an unknown outcome is left alone from then on: the call may take
// effect much later.
type viewer struct {
	*app
	load   *Load
	rival  *app // of the other realm
	name   string
	random *rand.Rand
	life   life
}

// life is what a viewer was told.
type life struct {
	app    *app
	viewer string
	host   *device
	// state of each device by id: in, out, or unsure.
	state map[string]state
	gone  *device // unlinked; it still has its token
	// used is a link code that admitted a device, live one that did not yet.
	used, live string
}

// state is whether a device is a member, as far as was acknowledged.
type state int

const (
	unsure state = iota
	in
	out
)

func newViewer(l *Load, number int64) *viewer {
	random := rand.New(rand.NewPCG(l.seed, uint64(number)))
	v := &viewer{app: l.apps[number%2], rival: l.apps[1-number%2], load: l, random: random}
	v.name = fmt.Sprintf("%s-%s-%d", l.name, v.realm, number)
	v.life = life{app: v.app, viewer: v.name, state: map[string]state{}}
	return v
}

// device is one of the viewer's, whose id tells whose it is.
func (v *viewer) device(name string) *device { return newDevice(v.name + "/" + name) }

// live makes the calls of a viewer until one has an unknown outcome, and enters
// in the ledger what holds then.
func (v *viewer) live() {
	host, guest := v.device("host"), v.device("guest")
	v.life.host = host
	if v.mint(host, v.name) != nil {
		return // nothing was acknowledged
	}
	v.life.state[host.id] = in
	defer v.load.Ledger.enter(&v.life)
	scenes := []func(host, guest *device) error{v.invite, v.meet, v.expel, v.stay, v.wait}
	for _, scene := range scenes {
		if err := scene(host, guest); err != nil {
			return
		}
	}
}

// invite makes a code, lets others try it, and one or two devices redeem it.
func (v *viewer) invite(host, guest *device) error {
	code, err := v.link(host)
	if err != nil {
		return v.mustServe("link", err)
	}
	if v.random.IntN(8) == 0 {
		v.trespass(host, code)
	}
	if v.random.IntN(4) == 0 {
		return v.race(code, guest, v.device("rival"))
	}
	v.life.state[guest.id] = unsure
	if err := v.redeem(guest, code); err != nil {
		return v.mustAdmit(err)
	}
	return v.admitted(code, guest)
}

func (v *viewer) admitted(code string, d *device) error {
	v.life.used, v.life.state[d.id] = code, in
	if d.membership == v.life.host.membership {
		v.load.Verdict.Found(DoubleOwner, "%s: two devices have membership %d", v.name, d.membership)
	}
	return nil
}

// race lets two devices redeem a code at once. The guest is the one that got in.
func (v *viewer) race(code string, devices ...*device) error {
	errs := make([]error, len(devices))
	var all sync.WaitGroup
	for i, d := range devices {
		v.life.state[d.id] = unsure
		all.Go(func() { errs[i] = v.redeem(d, code) })
	}
	all.Wait()
	var winners []*device
	for i, err := range errs {
		switch {
		case err == nil:
			winners = append(winners, devices[i])
		case errors.Is(err, errRefused):
			v.life.state[devices[i].id] = out
		}
	}
	switch {
	case len(winners) > 1:
		v.load.Verdict.Found(DoubleRedeem, "%s: a code admitted %d devices", v.name, len(winners))
	case len(winners) == 0:
		return v.mustAdmit(errors.Join(errs...))
	case winners[0] != devices[0]:
		*devices[0], *devices[1] = *devices[1], *devices[0]
	}
	return v.admitted(code, devices[0])
}

// mustAdmit judges that a fresh code admitted nobody.
func (v *viewer) mustAdmit(err error) error {
	if errors.Is(err, errRefused) && !errors.Is(err, errUnknown) {
		v.load.Verdict.Found(LostAck, "%s: a code was refused that had just been made", v.name)
	}
	return err
}

// mustServe judges that a member was refused.
func (v *viewer) mustServe(what string, err error) error {
	if errors.Is(err, errRefused) {
		v.load.Verdict.Found(DoubleOwner, "%s: %s was refused to a member", v.name, what)
	}
	return err
}

// trespass tries the viewer's token and code in the other realm.
func (v *viewer) trespass(host *device, code string) {
	if err := v.rival.redeem(v.device("trespasser"), code); err == nil {
		v.load.Verdict.Found(CrossTenant, "%s: its code was redeemed in the other realm", v.name)
	}
	err := v.rival.stranger(host)
	if err == nil || errors.Is(err, errUnknown) {
		return
	}
	v.load.Verdict.Found(CrossTenant, "%s: its token in the other realm: %v", v.name, err)
}

// meet lets both devices look at the profile, and a stranger try the used code.
func (v *viewer) meet(host, guest *device) error {
	for _, d := range []*device{host, guest} {
		if err := v.look(d); err != nil {
			return err
		}
		if err := v.renew(d); err != nil {
			return err
		}
	}
	if v.random.IntN(4) > 0 {
		return nil
	}
	late := v.device("late")
	if err := v.redeem(late, v.life.used); err == nil {
		v.load.Verdict.Found(DoubleRedeem, "%s: a used code admitted another device", v.name)
	} else if !errors.Is(err, errRefused) {
		v.life.state[late.id] = unsure
	}
	return nil
}

// look lists the profile's devices and compares them with what was
// acknowledged.
func (v *viewer) look(d *device) error {
	devices, err := v.list(d)
	if err != nil {
		return v.mustServe("list", err)
	}
	v.life.compare(v.load.Verdict, DoubleOwner, maps.Keys(devices))
	return nil
}

func (v *viewer) renew(d *device) error {
	was := d.membership
	if err := v.refresh(d); err != nil {
		return v.mustServe("refresh", err)
	}
	if d.membership != was {
		v.load.Verdict.Found(DoubleOwner, "%s: membership %d became %d", v.name, was, d.membership)
	}
	return nil
}

// expel lets the host remove the guest, in half of the lives; then its token is
// good for nothing.
func (v *viewer) expel(host, guest *device) error {
	if v.random.IntN(2) == 0 {
		return nil
	}
	v.life.state[guest.id] = unsure
	removed, err := v.unlink(host, guest.id)
	if err != nil {
		return v.mustServe("unlink", err)
	}
	if removed != 1 {
		v.load.Verdict.Found(DoubleOwner, "%s: unlink found no guest", v.name)
	}
	gone := *guest
	v.life.state[guest.id], v.life.gone = out, &gone
	if err := v.refresh(guest); err == nil {
		v.load.Verdict.Found(Resurrected, "%s: an unlinked device got a token", v.name)
	}
	return v.look(host)
}

// stay lets the host come back, as apps do when they are opened.
func (v *viewer) stay(host, _ *device) error {
	was := host.membership
	if err := v.mint(host, v.name); err != nil {
		return v.mustServe("mint", err)
	}
	if host.membership != was {
		v.load.Verdict.Found(DoubleOwner, "%s: membership %d became %d", v.name, was, host.membership)
	}
	for range 2 {
		if err := v.renew(host); err != nil {
			return err
		}
	}
	return nil
}

// wait leaves a code that nobody uses yet.
func (v *viewer) wait(host, _ *device) (err error) {
	if v.random.IntN(2) == 0 {
		v.life.live, err = v.link(host)
	}
	return v.mustServe("link", err)
}

// compare judges the devices in a list: who is missing counts as the given
// fault.
func (l *life) compare(v *Verdict, missing Fault, ids func(yield func(string) bool)) {
	shown := map[string]bool{}
	for id := range ids {
		shown[id] = true
		if name, _ := base64.StdEncoding.DecodeString(id); !strings.HasPrefix(string(name), l.viewer+"/") {
			v.Found(CrossTenant, "%s: the list shows somebody else's device", l.viewer)
		}
	}
	for id, s := range l.state {
		switch {
		case s == in && !shown[id]:
			v.Found(missing, "%s: a member is not in the list", l.viewer)
		case s == out && shown[id]:
			v.Found(Resurrected, "%s: a device is in the list that is no member", l.viewer)
		}
	}
}
