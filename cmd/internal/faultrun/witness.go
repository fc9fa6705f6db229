package faultrun

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// witness is a profile that changes while its owner is paused: a guest is
// removed and a code redeemed. An owner that answers from old memory shows.
type witness struct {
	*app
	name        string
	host, guest *device
	late        *device // redeems the code while the owner is paused
	code        string
	changed     bool // all of it was acknowledged
}

// witnessesPerShard is how many profiles are watched in a shard.
const witnessesPerShard = 3

// witnesses make profiles in shards, and let their owners load them.
func (l *Load) witnesses(shards []int) []*witness {
	var all []*witness
	for i := range len(shards) * witnessesPerShard {
		name := l.viewerOn(shards[i%len(shards)], fmt.Sprintf("%s-witness-%d-%d", l.name, l.viewers.Add(1), i))
		all = append(all, &witness{
			app: l.apps[0], name: name,
			host: newDevice(name + "/host"), guest: newDevice(name + "/guest"), late: newDevice(name + "/late"),
		})
	}
	l.eachMust(all, (*witness).found)
	return all
}

// eachMust lets all witnesses do something that must be served in the end.
func (l *Load) eachMust(all []*witness, do func(*witness) error) {
	l.cluster.Helper()
	var tasks sync.WaitGroup
	for _, w := range all {
		tasks.Go(func() {
			if err := patiently(func() error { return do(w) }); err != nil {
				l.cluster.Errorf("%s: %v", w.name, err)
			}
		})
	}
	tasks.Wait()
}

// stepWithin is for how long one call is repeated before all of them are: less than
// the minute in which a device may repeat its redemption.
const stepWithin = 20 * time.Second

func (w *witness) found() error {
	var code string
	for _, step := range []func() error{
		func() error { return w.mint(w.host, w.name) },
		func() (err error) { code, err = w.link(w.host); return err },
		func() error { return w.redeem(w.guest, code) },
		func() (err error) { w.code, err = w.link(w.host); return err },
		func() (err error) { _, err = w.list(w.host); return err },
	} {
		if err := patientlyFor(stepWithin, step); err != nil {
			return err
		}
	}
	return nil
}

// change removes the guest and lets another device redeem the code.
func (w *witness) change() error {
	if err := w.redeem(w.late, w.code); err != nil {
		return err
	}
	_, err := w.unlink(w.host, w.guest.id)
	w.changed = err == nil
	return err
}

// question asks a node what it knows. It may say that it does not know; it must
// not say what was true before the change.
func (w *witness) question(n *Node) {
	verdict, a := w.load.Verdict, w.at(n)
	var all sync.WaitGroup
	all.Go(func() {
		devices, err := a.list(w.host)
		_, guest := devices[w.guest.id]
		_, late := devices[w.late.id]
		if err == nil && (guest || !late) {
			verdict.Found(DoubleOwner, "%s showed %s as it was before", n, w.name)
		}
		if errors.Is(err, errRefused) {
			verdict.Found(DoubleOwner, "%s refused the host of %s", n, w.name)
		}
	})
	all.Go(func() {
		token := *w.guest
		if a.refresh(&token) == nil {
			verdict.Found(Resurrected, "%s renewed the token of an unlinked device of %s", n, w.name)
		}
	})
	all.Go(func() {
		if a.redeem(newDevice(w.name+"/thief"), w.code) == nil {
			verdict.Found(DoubleRedeem, "%s let a second device redeem a code of %s", n, w.name)
		}
	})
	all.Wait()
}

// questionAll asks a node about all witnesses, and returns a function that waits
// for the answers.
func (l *Load) questionAll(n *Node, all []*witness) (wait func()) {
	var tasks sync.WaitGroup
	for _, w := range all {
		if w.changed {
			tasks.Go(func() { w.question(n) })
		}
	}
	return tasks.Wait
}
