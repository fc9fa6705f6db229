package loadgen

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// addTimer adds a timer to the loop's epoll set: epoll_wait itself counts
// milliseconds, arrivals are microseconds apart.
func (l *Loop) addTimer() (int, error) {
	timer, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return 0, fmt.Errorf("timerfd_create: %w", err)
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(len(l.conns))}
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, timer, &event); err != nil {
		return 0, errors.Join(fmt.Errorf("epoll_ctl: %w", err), unix.Close(timer))
	}
	return timer, nil
}

// arm sets the timer to fire after d, at once when d is not positive.
func arm(timer int, d time.Duration) error {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(max(d, 1)))}
	return unix.TimerfdSettime(timer, 0, &spec, nil)
}

// drain empties the timer so that epoll does not report it again.
func drain(timer int) error {
	var expirations [8]byte
	_, err := unix.Read(timer, expirations[:])
	if errors.Is(err, unix.EAGAIN) {
		return nil
	}
	return err
}
