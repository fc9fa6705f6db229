package main

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"ssod/bench/loadgen"
	"ssod/bench/process"
)

// server is what a slice drives: the service or the floor. It has no process
// when somebody else started it; then its CPU time is not known.
type server struct {
	addrs     []string // the connections are spread over these
	processes []*process.Process
	beside    []*process.Process // ours too, and not measured
}

// single is a server that is one process; nil when somebody else started it.
func single(addr string, p *process.Process) server {
	s := server{addrs: []string{addr}}
	if p != nil {
		s.processes = append(s.processes, p)
	}
	return s
}

// least is how many answers a slice has at least. One that has fewer, because the
// machine had no time for it or what it works on was used up, says nothing.
const least = 100

// sample is what one slice measured.
type sample struct {
	loadgen.Result
	few                  bool // less than the least: no figure may be made of it
	foreign              bool // the server's CPU time is not known
	serverCPU, clientCPU time.Duration
	others               float64 // share of the machine's CPU time, 0..1
}

// rate is the accepted answers per second.
func (s sample) rate() figure {
	if s.Elapsed <= 0 {
		return unmeasured
	}
	return s.unlessFew(figure(s.Rate()))
}

func (s sample) unlessFew(f figure) figure {
	if s.few {
		return unmeasured
	}
	return f
}

// each is the microseconds of a CPU time that a request took.
func (s sample) each(cpu time.Duration) figure {
	if s.Requests == 0 {
		return unmeasured
	}
	return s.unlessFew(micros(cpu) / figure(s.Requests))
}

func (s sample) server() figure {
	if s.foreign {
		return unmeasured
	}
	return s.each(s.serverCPU)
}

func (s sample) client() figure { return s.each(s.clientCPU) }

// othersPercent is the share of the machine of other processes.
func (s sample) othersPercent() figure { return s.unlessFew(figure(100 * s.others)) }

// errRefused says that a server did not do what the bench asked: then the rate
// says nothing and the run ends.
var errRefused = errors.New("requests were refused")

// errNothing says that a source was empty before its measurement began.
var errNothing = errors.New("nothing was measured: what it works on was used up before; try more --members")

// meter reads the CPU times at the edges of a window.
type meter struct {
	servers        []*process.Process
	beside         []*process.Process // what they use is not that of others
	besideAt       time.Duration
	serverAt, atMe time.Duration
	serverCPU, cpu time.Duration
	machineAt      process.Machine
	others         float64
	errs           []error
}

func (m *meter) begin() {
	m.serverAt, m.atMe = m.read()
	m.besideAt = m.cpuOf(m.beside)
	m.machineAt = m.machine()
}

func (m *meter) end() {
	server, me := m.read()
	m.serverCPU, m.cpu = server-m.serverAt, me-m.atMe
	m.others = process.Others(m.machineAt, m.machine(), m.serverCPU+m.cpu+m.cpuOf(m.beside)-m.besideAt)
}

func (m *meter) machine() process.Machine {
	now, err := process.ReadMachine()
	m.errs = append(m.errs, err)
	return now
}

func (m *meter) cpuOf(processes []*process.Process) (sum time.Duration) {
	for _, p := range processes {
		cpu, err := p.CPU()
		sum += cpu
		m.errs = append(m.errs, err)
	}
	return sum
}

func (m *meter) read() (server, me time.Duration) {
	var usage unix.Rusage
	m.errs = append(m.errs, unix.Getrusage(unix.RUSAGE_SELF, &usage))
	return m.cpuOf(m.servers), time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// closed measures src on s as a closed loop. Redeem and unlink use up what others have
// made, so they use little of it unmeasured.
func (c *runCommand) closed(s server, src loadgen.Source) (sample, error) {
	warm := c.Warm
	switch src.(type) {
	case *redeemer, *unlinker:
		warm /= 10
	}
	return c.measure(s, loadgen.Window{Warm: warm, Measure: c.Slice}, func(l *loadgen.Loop, w loadgen.Window) (loadgen.Result, error) { return l.Closed(src, w) })
}

// open measures src on s at the times of arrivals.
func (c *runCommand) open(s server, src loadgen.Source, arrivals loadgen.Arrivals) (sample, error) {
	return c.measure(s, loadgen.Window{Warm: c.Warm, Measure: c.OpenFor}, func(l *loadgen.Loop, w loadgen.Window) (loadgen.Result, error) { return l.Open(src, arrivals, w) })
}

func (c *runCommand) measure(s server, w loadgen.Window, run func(*loadgen.Loop, loadgen.Window) (loadgen.Result, error)) (sample, error) {
	loop, err := loadgen.Dial(c.Connections, s.addrs...)
	if err != nil {
		return sample{}, err
	}
	defer loop.Close()
	m := meter{servers: s.processes, beside: s.beside}
	w.Least, w.Begin, w.End = least, m.begin, m.end
	result, err := run(loop, w)
	if err = errors.Join(append(m.errs, err)...); err != nil {
		return sample{}, err
	}
	if result.Errors > 0 {
		err = fmt.Errorf("%w: %d beside %d accepted", errRefused, result.Errors, result.Requests)
	}
	return sample{
		Result: result, few: result.Requests < least, foreign: len(s.processes) == 0,
		serverCPU: m.serverCPU, clientCPU: m.cpu, others: m.others,
	}, err
}

// all sends every request of src, unmeasured, and wants each accepted.
func (c *runCommand) all(s server, src loadgen.Source) error {
	loop, err := loadgen.Dial(c.Connections, s.addrs...)
	if err != nil {
		return err
	}
	defer loop.Close()
	result, err := loop.Closed(src, loadgen.Window{Measure: time.Hour})
	if err == nil && result.Errors > 0 {
		err = fmt.Errorf("%w: %d beside %d accepted", errRefused, result.Errors, result.Requests)
	}
	return err
}
