package linkdirectory

import (
	"maps"
	"slices"
	"sync"

	"ssod/actors/event"
)

// Attacks sums up how the link codes of the realms are guessed whose directories are on
// this node. The zero value is ready for use.
type Attacks struct {
	mu     sync.Mutex
	realms map[string]*attacked
}

// attacked is what was done to one realm.
type attacked struct {
	mu  sync.Mutex
	sum event.Attack
}

func (a *Attacks) of(realm string) *attacked {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.realms == nil {
		a.realms = map[string]*attacked{}
	}
	if a.realms[realm] == nil {
		a.realms[realm] = &attacked{}
	}
	return a.realms[realm]
}

// Take states the attacks since it was called last: in realms where codes were guessed
// wrong, or not looked up, while what operators are warned of holds. That is that the meter
// is above half of what is accepted in a day, or a length is closed.
func (a *Attacks) Take() (facts []event.Fact) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, realm := range slices.Sorted(maps.Keys(a.realms)) {
		if sum, is := a.realms[realm].take(); is {
			facts = append(facts, event.Fact{Type: event.LinkCodeAttack, Realm: realm, Attack: sum})
		}
	}
	return facts
}

func (a *attacked) take() (sum event.Attack, is bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	sum = a.sum
	a.sum.Own, a.sum.Other, a.sum.Refused = 0, 0, 0
	return sum, sum.Own+sum.Other+sum.Refused > 0 && (sum.Meter > 0.5 || len(sum.Closed) > 0)
}

func (a *attacked) failed(own bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if own {
		a.sum.Own++
	} else {
		a.sum.Other++
	}
}

func (a *attacked) refused() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sum.Refused++
}

func (a *attacked) metered(meter float64, closed []int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sum.Meter, a.sum.Closed = meter, closed
}
