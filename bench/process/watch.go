package process

import "time"

// Watch is a look at the machine and at some processes.
type Watch struct {
	machine      Machine
	used, beside Usage
}

// Look looks at processes; beside are further ones that belong to the measurement.
func Look(pids, beside []int) (w Watch, err error) {
	if w.machine, err = ReadMachine(); err != nil {
		return w, err
	}
	if w.used, err = UsageOf(pids...); err != nil {
		return w, err
	}
	w.beside, err = UsageOf(beside...)
	return w, err
}

// Since is what the processes have used since an earlier look, and the share of the
// machine's CPU time, 0..1, of all others meanwhile.
func (w Watch) Since(before Watch) (used Usage, others float64) {
	used = w.used.Minus(before.used)
	return used, Others(before.machine, w.machine, used.CPU+w.beside.CPU-before.beside.CPU)
}

// Others is the share of the machine's CPU time, 0..1, that others had between two
// looks at it in which we used ours.
func Others(before, after Machine, ours time.Duration) float64 {
	busy, idle := after.Busy-before.Busy, after.Idle-before.Idle
	// The kernel counts the machine in ticks and processes exactly.
	return float64(max(busy-ours, 0)) / float64(max(busy+idle, 1))
}
