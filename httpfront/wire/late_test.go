package wire

import (
	"errors"
	"io"
	"os"
	"syscall"
	"testing"
	"time"
)

// arrives waits until the socket has n bytes.
func arrives(t *testing.T, c *Conn, n int) {
	t.Helper()
	got, b := 0, make([]byte, n)
	if err := c.raw.Read(func(fd uintptr) bool {
		got, _, _ = syscall.Recvfrom(int(fd), b, syscall.MSG_PEEK)
		return got >= n
	}); err != nil {
		t.Fatal(err)
	}
}

// TestAProcessThatIsLate: what has arrived when the deadline is missed is read all the
// same, so that a process which was stopped for longer refuses nobody who was in time.
// What is not there then did not come in time, and where nothing came nothing is said.
func TestAProcessThatIsLate(t *testing.T) {
	for _, tt := range []struct {
		name, sent string
		refusal    int
	}{
		{"the whole request", unlink, 0},
		{"more than a buffer", "POST /api/tv/unlink HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n" + string(make([]byte, 20_000)), 0},
		{"one byte less", unlink[:len(unlink)-1], 408},
		{"one byte", unlink[:1], 408},
	} {
		t.Run(tt.name, func(t *testing.T) {
			limits := DefaultLimits
			limits.Request = -time.Second // missed before the first read
			c, client := pipe(t, limits)
			if _, err := io.WriteString(client, tt.sent); err != nil {
				t.Fatal(err)
			}
			arrives(t, c, len(tt.sent))
			if _, _, refusal := next(t, c); refusal != tt.refusal {
				t.Errorf("refusal %d, want %d", refusal, tt.refusal)
			}
		})
	}
	limits := DefaultLimits
	limits.Request = -time.Second
	c, _ := pipe(t, limits)
	if n, err := c.Read(make([]byte, 1)); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("where nothing came: %d bytes, %v", n, err)
	}
	c, client := pipe(t, limits)
	client.Close()
	arrives(t, c, 0)
	if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Errorf("a client that has gone: %d bytes, %v", n, err)
	}
}
