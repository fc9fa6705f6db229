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
