package main

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// unread reports whether the other end of the pipe w is closed. A write would end this
// program then (SIGPIPE), but without writes it would stay for long.
func unread(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	poll := []unix.PollFd{{Fd: int32(file.Fd())}}
	n, err := unix.Poll(poll, 0)
	return err == nil && n > 0 && poll[0].Revents&unix.POLLERR != 0
}
