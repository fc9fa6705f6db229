package actors

import "github.com/asynkron/protoactor-go/actor"

// System lets tests speak to the runtime's processes as another node would.
func (r *Runtime) System() *actor.ActorSystem { return r.system }

// Active is the number of entities in memory.
func (r *Runtime) Active() int { return int(r.active.Load()) }

// Sweep ticks every entity and passivates the idle ones, as if the idle time
// had passed.
func (r *Runtime) Sweep() {
	r.ticks.Add(r.idleTicks())
	r.sweepOnce()
}

// Replies is the process id that answers are sent to.
const Replies = repliesID

// InFlight is the number of commands admitted and not answered.
func (r *Runtime) InFlight() int { return int(r.inflight.Load()) }

// Age lets one tick pass without a sweep.
func (r *Runtime) Age() { r.ticks.Add(1) }

// Press sweeps as under memory pressure.
func (r *Runtime) Press() { r.makeRoom() }

// Waiting is the number of Asks that wait.
func (r *Runtime) Waiting() int { return int(r.asks.Load()) }
