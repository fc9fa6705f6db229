package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// clockTick is the unit of times in /proc: USER_HZ, 100 on every Linux that Go
// runs on.
const clockTick = time.Second / 100

// Machine is how long all CPUs together have been busy and idle since the machine started.
// Busy includes the time that a hypervisor gave to other guests (steal).
type Machine struct{ Busy, Idle time.Duration }

// ReadMachine reads the account of the whole machine.
func ReadMachine() (Machine, error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return Machine{}, err
	}
	return parseMachine(stat)
}

// parseMachine reads the first line: cpu, then user, nice, system, idle, iowait,
// irq, softirq and steal; what follows is counted in user already; proc(5).
func parseMachine(stat []byte) (m Machine, err error) {
	line, _, _ := bytes.Cut(stat, []byte("\n"))
	fields := bytes.Fields(line)
	if len(fields) < 9 || string(fields[0]) != "cpu" {
		return m, fmt.Errorf("/proc/stat begins with %q", line)
	}
	for i, field := range fields[1:9] {
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return m, fmt.Errorf("/proc/stat: %w", err)
		}
		if i == 3 || i == 4 {
			m.Idle += time.Duration(n) * clockTick
		} else {
			m.Busy += time.Duration(n) * clockTick
		}
	}
	return m, nil
}
