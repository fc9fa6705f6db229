package faultrun

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"ssod/bench/process"
)

// gate stands before the disk of one process: each of its calls of fsync and
// fdatasync waits there, in the kernel, until it may go on. Everything else the
// process does costs nothing more. See seccomp_unotify(2); it needs no root.
type gate struct {
	mu     sync.Mutex
	delay  time.Duration // of each call
	shut   bool
	opened chan struct{} // closed when the gate is opened
	held   sync.WaitGroup
}

// gateArg is the first argument of the test program when it is to run another
// program behind a gate.
const gateArg = "behind-the-gate"

// gateSocket is the descriptor over which it hands out the gate.
const gateSocket = 3

func newGate() *gate { return &gate{opened: make(chan struct{})} }

// slow makes each call take so much longer from now on.
func (g *gate) slow(delay time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.delay = delay
}

// hang lets no call through until open.
func (g *gate) hang() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
}

// open lets everything through at once.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut, g.delay = false, 0
	close(g.opened)
	g.opened = make(chan struct{})
}

// wait is what one call does at the gate.
func (g *gate) wait() {
	g.mu.Lock()
	delay, shut, opened := g.delay, g.shut, g.opened
	g.mu.Unlock()
	if shut {
		<-opened
		return
	}
	if delay == 0 {
		return
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-opened:
	}
}

// run starts a command behind the gate, by this program.
func (g *gate) run(cmd *exec.Cmd) (*process.Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket for the gate: %w", err)
	}
	defer unix.Close(pair[0])
	theirs := os.NewFile(uintptr(pair[1]), "gate")
	cmd.Args = append([]string{self, gateArg, cmd.Path}, cmd.Args[1:]...)
	cmd.Path, cmd.ExtraFiles = self, []*os.File{theirs}
	started, err := process.Run(cmd)
	theirs.Close()
	if err != nil {
		return nil, err
	}
	calls, err := receiveDescriptor(pair[0])
	if err != nil {
		return nil, fmt.Errorf("receive the gate: %w", err)
	}
	g.held.Go(func() { g.keep(calls) })
	return started, nil
}

func receiveDescriptor(socket int) (int, error) {
	control := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(socket, make([]byte, 1), control, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return -1, err
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil || len(messages) == 0 {
		return -1, errors.Join(errNoGate, err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) == 0 {
		return -1, errors.Join(errNoGate, err)
	}
	return fds[0], nil
}

var errNoGate = errors.New("no gate")

// notification is struct seccomp_notif, response struct seccomp_notif_resp.
type (
	notification struct {
		id         uint64
		pid, flags uint32
		number     int32
		arch       uint32
		pointer    uint64
		args       [6]uint64
	}
	response struct {
		id    uint64
		value int64
		errno int32
		flags uint32
	}
)

// gatePoll is how often it is looked whether the process has ended.
const gatePoll = 100 * time.Millisecond

// keep lets calls wait until the process has ended, and those through that still
// wait then.
func (g *gate) keep(calls int) {
	defer unix.Close(calls)
	var waiting sync.WaitGroup
	defer waiting.Wait()
	defer g.open()
	for {
		ready := []unix.PollFd{{Fd: int32(calls), Events: unix.POLLIN}}
		if _, err := unix.Poll(ready, int(gatePoll.Milliseconds())); err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
		if ready[0].Revents&unix.POLLIN == 0 {
			if ready[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0 {
				return
			}
			continue
		}
		var n notification
		if ioctl(calls, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)) != 0 {
			continue // whoever called is gone
		}
		waiting.Go(func() {
			g.wait()
			r := response{id: n.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
			_ = ioctl(calls, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r)) // or is gone by now
		})
	}
}

func ioctl(fd int, request uintptr, argument unsafe.Pointer) syscall.Errno {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(argument))
	return errno
}

// passGate runs a program behind a gate in the place of this one. It returns if
// that fails.
func passGate(command []string) error {
	runtime.LockOSThread() // the gate is before this thread and what it becomes
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("promise no new privileges: %w", err)
	}
	filter := syncFilter()
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	calls, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_NEW_LISTENER|unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return fmt.Errorf("make the gate: %w", errno)
	}
	if err := unix.Sendmsg(gateSocket, []byte{0}, unix.UnixRights(int(calls)), nil, 0); err != nil {
		return fmt.Errorf("hand the gate out: %w", err)
	}
	unix.Close(gateSocket)
	return fmt.Errorf("run %s: %w", command[0], syscall.Exec(command[0], command, os.Environ()))
}

// syncFilter tells the calls that wait: offset 0 of struct seccomp_data is the
// number of the call.
func syncFilter() []unix.SockFilter {
	return []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_FSYNC, Jt: 1},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_FDATASYNC, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
}
