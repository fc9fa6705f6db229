package wire

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// TestBlankLinesBeforeARequest: a client that ends a body with an uncounted line
// end is served, wherever the network cuts.
func TestBlankLinesBeforeARequest(t *testing.T) {
	raw := strings.Repeat("\r\n", maxBlankLines) + unlink
	for cut := 1; cut < len(raw); cut++ {
		c := NewConn(&scripted{parts: []string{raw[:cut], raw[cut:]}}, &DefaultLimits)
		reduced, r, refusal := next(t, c)
		checkUnlink(t, reduced, r, refusal)
	}
	c, client := pipe(t, DefaultLimits)
	go io.WriteString(client, unlink+"\r\n"+unlink+strings.Repeat("\r\n", maxBlankLines)+unlink+"\r\n")
	for range 3 {
		reduced, r, refusal := next(t, c)
		checkUnlink(t, reduced, r, refusal)
	}
	client.Close()
	if n, err := c.Read(make([]byte, 100)); err != io.EOF {
		t.Errorf("behind the last request: %d bytes, %v; want the end", n, err)
	}
}

// TestBlankLinesAreFewAndWhole: more than a few, and parts of line ends, are
// refused, in front of the first request and of a later one.
func TestBlankLinesAreFewAndWhole(t *testing.T) {
	for _, blank := range []string{
		strings.Repeat("\r\n", maxBlankLines+1), "\n", "\r", "\r\r\n", "\r\n\n", "\n\r\n", " \r\n", "\t\r\n", "\x00", "\v\r\n",
	} {
		for _, before := range []string{"", unlink} {
			c, client := pipe(t, DefaultLimits)
			go io.WriteString(client, before+blank+unlink)
			if before != "" {
				next(t, c)
			}
			if _, _, refusal := next(t, c); refusal != 400 {
				t.Errorf("%q behind %q: refusal %d, want 400", blank, before, refusal)
			}
			client.Close()
		}
	}
}

// TestBlankLinesBuyNoTime: a connection on which they come one by one is closed
// as a silent one is, without a word, and holds no buffer meanwhile.
func TestBlankLinesBuyNoTime(t *testing.T) {
	limits := Limits{Head: 1000, Body: 100, Request: 200 * time.Millisecond, Idle: 400 * time.Millisecond, Write: time.Minute}
	for name, before := range map[string]string{"new": "", "old": unlink} {
		t.Run(name, func(t *testing.T) {
			c, client := pipe(t, limits)
			io.WriteString(client, before)
			if before != "" {
				next(t, c)
			}
			if _, err := io.WriteString(client, "\r\n"); err != nil {
				t.Fatal(err)
			}
			sent := make(chan struct{})
			time.AfterFunc(limits.Request/2, func() {
				io.WriteString(client, "\r\n")
				close(sent)
			})
			if _, err := c.Read(make([]byte, 100)); !os.IsTimeout(err) {
				t.Errorf("got %v, want a time-out", err)
			}
			<-sent
			if c.buf != nil {
				t.Error("blank lines hold a buffer")
			}
		})
	}
}

// moved notes when a connection's read deadline is.
type moved struct {
	scripted
	deadlines []time.Time
}

func (m *moved) SetReadDeadline(t time.Time) error {
	m.deadlines = append(m.deadlines, t)
	return nil
}

// TestBlankLinesMoveNoDeadline counts what the test above can only wait for.
func TestBlankLinesMoveNoDeadline(t *testing.T) {
	limits := Limits{Head: 1000, Body: 1000, Request: time.Minute, Idle: 1, Write: 1} // so short that it would move each time
	m := &moved{scripted: scripted{parts: []string{unlink + "\r\n", "\r\n", "\r\n"}}}
	c := NewConn(m, &limits)
	next(t, c)
	if _, err := c.Read(make([]byte, 100)); err != io.EOF {
		t.Fatalf("got %v, want the end", err)
	}
	if len(m.deadlines) != 2 { // of the first request, and of the wait for the second
		t.Errorf("the deadline was moved %d times, want 2", len(m.deadlines))
	}
}
