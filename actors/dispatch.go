package actors

import "sync/atomic"

// dispatcher runs mailboxes on goroutines that it keeps: the stack of a new one would be
// copied several times until it is deep enough for a decision and a commit.
type dispatcher struct {
	work chan func()  // unbuffered, to a waiting worker; nil ends it
	idle atomic.Int32 // workers that wait, or are about to
	live atomic.Int32 // workers
	over atomic.Bool  // workers no longer wait
}

// keptWorkers is the maximum number of idle workers. More run at once when many commits
// wait for the disk; those end when they are done.
const keptWorkers = 512

func newDispatcher() *dispatcher { return &dispatcher{work: make(chan func())} }

// schedule runs f on a worker.
func (d *dispatcher) schedule(f func()) {
	select {
	case d.work <- f:
	default:
		d.live.Add(1)
		go d.serve(f)
	}
}

// serve runs f and the work after it.
func (d *dispatcher) serve(f func()) {
	defer d.live.Add(-1)
	for f != nil {
		f()
		if d.idle.Add(1) > keptWorkers || d.over.Load() {
			d.idle.Add(-1)
			return
		}
		f = <-d.work
		d.idle.Add(-1)
	}
}

// stopped ends the idle workers and reports whether none is left. From the first call on
// a worker ends when it is done.
func (d *dispatcher) stopped() bool {
	d.over.Store(true)
	for {
		select {
		case d.work <- nil:
		default:
			return d.live.Load() == 0
		}
	}
}
