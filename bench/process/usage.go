package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// CPUTime is the processor time that a process has used, user and system, to the
// nanosecond. (/proc tells it in ticks of 10 ms, in which a short measurement is
// often nothing.)
func CPUTime(pid int) (time.Duration, error) {
	var used unix.Timespec
	if err := unix.ClockGettime(cpuClock(pid), &used); err != nil {
		return 0, fmt.Errorf("read the CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(used.Nano()), nil
}

// cpuClock is the clock of a process, as clock_getcpuclockid(3) makes it: the
// inverted process id above three bits, of which 2 is the scheduler's account of
// all threads.
func cpuClock(pid int) int32 { return int32(^pid<<3 | 2) }

// Usage is what processes have used since they started.
type Usage struct {
	CPU time.Duration
	// Switches is how often their threads gave a CPU up because they had to wait.
	// Those of threads that have ended are not in it.
	Switches int64
	// Calls is how many system calls they made that read or write.
	Calls int64
}

// UsageOf is the usage of processes together.
func UsageOf(pids ...int) (sum Usage, err error) {
	for _, pid := range pids {
		cpu, err := CPUTime(pid)
		if err != nil {
			return sum, err
		}
		switches, err := switches(pid)
		if err != nil {
			return sum, err
		}
		reads, err := number(fmt.Sprintf("/proc/%d/io", pid), "syscr:")
		if err != nil {
			return sum, err
		}
		writes, err := number(fmt.Sprintf("/proc/%d/io", pid), "syscw:")
		if err != nil {
			return sum, err
		}
		sum = sum.Plus(Usage{CPU: cpu, Switches: switches, Calls: reads + writes})
	}
	return sum, nil
}

// Plus and Minus are the sum and the difference of each part.
func (u Usage) Plus(o Usage) Usage {
	return Usage{CPU: u.CPU + o.CPU, Switches: u.Switches + o.Switches, Calls: u.Calls + o.Calls}
}

// Minus is what was used since o.
func (u Usage) Minus(o Usage) Usage {
	return Usage{CPU: u.CPU - o.CPU, Switches: u.Switches - o.Switches, Calls: u.Calls - o.Calls}
}

// switches sums the voluntary context switches of a process's threads.
func switches(pid int) (sum int64, err error) {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return 0, err
	}
	for _, thread := range threads {
		n, err := number(fmt.Sprintf("/proc/%d/task/%s/status", pid, thread.Name()), "voluntary_ctxt_switches:")
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue // it has ended
		}
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// number is the one behind a name at the begin of a line.
func number(file, name string) (int64, error) {
	all, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(all)) {
		if value, ok := strings.CutPrefix(line, name); ok {
			return strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no %s", file, name)
}
