package wire

import (
	"errors"
	"net"
	"syscall"
	"testing"
)

// exhausted is a listener of a process that has no file descriptor left for a
// while.
type exhausted struct {
	net.Listener
	errs []error
}

func (l *exhausted) Accept() (net.Conn, error) {
	err := l.errs[0]
	l.errs = l.errs[1:]
	if err != nil {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: err}
	}
	server, client := net.Pipe()
	client.Close()
	return server, nil
}

func TestAcceptOutlivesExhaustion(t *testing.T) {
	l := Listen(&exhausted{errs: []error{syscall.EMFILE, syscall.ENFILE, nil, net.ErrClosed}}, DefaultLimits, 1, nil)
	var told []error
	l.Failed = func(err error) { told = append(told, err) }
	c, err := l.Accept()
	if err != nil {
		t.Fatalf("accept after exhaustion: %v", err)
	}
	defer c.Close()
	if len(told) != 2 || !errors.Is(told[0], syscall.EMFILE) || !errors.Is(told[1], syscall.ENFILE) {
		t.Errorf("told of %v, want both failures", told)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept of a closed listener: got %v, want %v", err, net.ErrClosed)
	}
	if len(told) != 2 {
		t.Errorf("told of the end of the listener: %v", told[2:])
	}
}

// Close ends an Accept that waits after a failure, whose next attempt would
// fail again.
func TestCloseEndsTheWaitOfAccept(t *testing.T) {
	inner := &exhausted{errs: make([]error, 64)}
	for i := range inner.errs {
		inner.errs[i] = syscall.EMFILE
	}
	real, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	inner.Listener = real
	l := Listen(inner, DefaultLimits, 1, nil)
	failures := 0
	l.Failed = func(error) {
		if failures++; failures == 3 {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept: got %v, want %v", err, net.ErrClosed)
	}
	if failures != 3 {
		t.Errorf("accept failed %d times, want 3 until it is closed", failures)
	}
}
