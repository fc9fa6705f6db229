package faultrun

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"testing"
	"time"
)

// TestNetwork plays two nodes of which this process is the first: what it says
// comes, hangs while it is cut, and comes when the network is healed.
func TestNetwork(t *testing.T) {
	n := newNetwork()
	t.Cleanup(n.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	me, other := &Node{Name: "me"}, &Node{Name: "other"}
	me.id.Store(int64(os.Getpid()))
	n.nodes[me] = true
	if err := n.attach(other, "127.0.1.99", []string{l.Addr().String()}); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	out, err := net.Dial("tcp", net.JoinHostPort("127.0.1.99", port))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	in, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	there, here := line{out, in, bufio.NewReader(in)}, line{in, out, bufio.NewReader(out)}
	both := func(step string, want, back bool) {
		t.Helper()
		if got := there.carries(t, step); got != want {
			t.Errorf("%s: it is heard: %v, want %v", step, got, want)
		}
		if got := here.carries(t, step); got != back {
			t.Errorf("%s: it hears: %v, want %v", step, got, back)
		}
	}
	both("whole", true, true)
	n.Mute([]*Node{other}, []*Node{me})
	both("deaf", true, false)
	n.Part([]*Node{me}, []*Node{other})
	both("cut", false, false)
	n.Heal()
	there.want(t, "cut")
	here.want(t, "deaf")
	here.want(t, "cut")
	both("healed", true, true)
}

// line is one direction of a connection.
type line struct {
	to, from net.Conn
	text     *bufio.Reader // of from
}

// carries says something and reports whether it comes soon.
func (l line) carries(t *testing.T, what string) bool {
	t.Helper()
	if _, err := fmt.Fprintln(l.to, what); err != nil {
		t.Fatal(err)
	}
	_ = l.from.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	defer l.from.SetReadDeadline(time.Time{})
	got, err := l.text.ReadString('\n')
	if err == nil && got != what+"\n" {
		t.Fatalf("got %q, want %q", got, what)
	}
	return err == nil
}

func (l line) want(t *testing.T, what string) {
	t.Helper()
	_ = l.from.SetReadDeadline(time.Now().Add(2 * time.Minute))
	if got, err := l.text.ReadString('\n'); err != nil || got != what+"\n" {
		t.Fatalf("got %q %v, want %q", got, err, what)
	}
}
