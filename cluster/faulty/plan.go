package faulty

import (
	"math/rand/v2"
	"sync"

	"ssod/cluster"
)

// Fault is what happens to one commit or barrier.
type Fault int

// The faults. A barrier knows None, Delay, Hold and Flap; for it the others
// are None.
const (
	// None: nothing goes wrong.
	None Fault = iota
	// Refuse: ErrRefused, not written.
	Refuse
	// Reject: another owner has changed the entity just before, to the same
	// state: ErrRejected. An entity that does not exist is refused instead.
	Reject
	// UnknownDone: written, but the answer is ErrUnknown.
	UnknownDone
	// UnknownNotDone: not written, and the answer is ErrUnknown.
	UnknownNotDone
	// Delay: goes well after Options.Delay. If the context ends before, it is
	// written all the same and the answer is ErrUnknown.
	Delay
	// Hold: goes well when Truth.Release is called. If the context or the term
	// ends before, it is not written and the answer is ErrUnknown.
	Hold
	// Flap: the term ends before the commit is written: ErrRefused. The same
	// node leads again in the next term.
	Flap
	// FlapDone: written, then the term ends as with Flap: ErrUnknown.
	FlapDone
)

// Faults are all faults that need no help from the test to end, None included.
var Faults = []Fault{None, Refuse, Reject, UnknownDone, UnknownNotDone, Delay, Flap, FlapDone}

var faultNames = [...]string{
	"None", "Refuse", "Reject", "UnknownDone", "UnknownNotDone", "Delay", "Hold", "Flap", "FlapDone",
}

// String returns the fault's name.
func (f Fault) String() string { return faultNames[f] }

// Op is a commit or barrier about to happen.
type Op struct {
	// N counts the operations of its kind (commits, barriers) from 0.
	N     int
	Shard cluster.ShardID
	// Commit is nil for a barrier.
	Commit *cluster.Commit
}

// Plan chooses the fault of each operation. It is called by one goroutine at a
// time and must not call back into this package.
type Plan func(Op) Fault

// Script is a plan that injects the faults one by one, then none.
func Script(faults ...Fault) Plan {
	return func(op Op) Fault {
		if op.N < len(faults) {
			return faults[op.N]
		}
		return None
	}
}

// Always is a plan that injects the same fault each time.
func Always(f Fault) Plan { return func(Op) Fault { return f } }

// Seeded is a plan that injects one of the faults in percent of all operations,
// the same ones for the same seed. No faults means all of [Faults].
func Seeded(seed uint64, percent int, faults ...Fault) Plan {
	if len(faults) == 0 {
		faults = Faults
	}
	var mu sync.Mutex
	source := rand.New(rand.NewPCG(seed, 0))
	return func(Op) Fault {
		mu.Lock()
		defer mu.Unlock()
		if source.IntN(100) >= percent {
			return None
		}
		return faults[source.IntN(len(faults))]
	}
}
