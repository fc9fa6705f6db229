package actors_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"ssod/actors"
	"ssod/cluster/faulty"
	"ssod/cluster/proof"
	"ssod/cluster/secret"
)

// TestRemote asks entities of a second process over loopback. All parts share
// one runtime, because the transport library allows one per process.
func TestRemote(t *testing.T) {
	v := newView(faulty.Options{Shards: 2})
	p := &probe{}
	r := start(t, v, p, func(c *actors.Config) { c.Self, c.Remote = "", loopback() })
	const ownerWait = 200 * time.Millisecond // as start has it
	term := uint64(10)
	next := func() uint64 { term += 10; return term }

	t.Run("the owner answers", func(t *testing.T) {
		n := startNode(t, "self")
		v.move(n.address, 5)
		askOther(t, r, p)
		if err := n.end(); err != nil {
			t.Errorf("the other node did not stop cleanly: %v", err)
		}
	})
	t.Run("a node that is not the owner points to it", func(t *testing.T) {
		n := startNode(t, r.Address())
		v.self = r.Address()
		v.move(n.address, 5)
		for range 2 {
			if got := total(ask(t, r, address("pointed"), request(1), add(1))); got != 1 {
				t.Errorf("got %d, want 1", got)
			}
		}
		v.self = ""
	})
	t.Run("strangers are refused", func(t *testing.T) {
		for name, stranger := range map[string]struct {
			key  byte
			says string
		}{
			"another secret":  {2, claim(cluster1)},
			"another cluster": {1, claim("another")},
			"no claim":        {1, "hello"},
		} {
			if answer, err := knock(t, r.Address(), stranger.key, stranger.says); err == nil && answer[0] != 2 {
				t.Errorf("%s: let in with %q", name, answer)
			}
		}
		if answer, err := knock(t, r.Address(), 1, claim(cluster1)); err != nil || answer[0] != 1 {
			t.Errorf("of this cluster: %q, %v", answer, err)
		}
	})
	t.Run("a dead owner fails at once", func(t *testing.T) {
		v.move(deadAddress(t), next())
		eventually(t, "who asks is told before anything else runs out", func() bool { // again where the machine stalls
			begin := time.Now()
			_, err := r.Ask(context.Background(), address("dead"), request(2), 0, add(1))
			if !errors.Is(err, actors.ErrUnavailable) {
				t.Errorf("got %v, want ErrUnavailable", err)
			}
			return time.Since(begin) <= 2*ownerWait
		})
	})
	t.Run("nothing is sent to who does not shake hands", func(t *testing.T) {
		silent, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
		v.move(silent.Addr().String(), next())
		ctx, cancel := context.WithTimeout(t.Context(), ownerWait/4)
		defer cancel()
		if _, err := r.Ask(ctx, address("silent"), request(6), 0, add(1)); !errors.Is(err, actors.ErrUnavailable) {
			t.Errorf("got %v, want ErrUnavailable: it cannot have had an effect", err)
		}
	})
	t.Run("an owner that was restarted is waited for", func(t *testing.T) {
		n := startNode(t, "self")
		v.move(n.address, next())
		ask(t, r, address("restarted"), request(4), add(1))
		n.kill()
		answered := make(chan error, 1)
		go func() {
			_, err := r.Ask(context.Background(), address("restarted"), request(5), 0, add(1))
			answered <- err
		}()
		// It is dialed, is not there, and counts as down for longer than an owner
		// is waited for.
		startNodeAt(t, n.address, "self")
		if err := <-answered; err != nil {
			t.Errorf("got %v", err)
		}
	})
	t.Run("an owner killed with the command in flight", func(t *testing.T) {
		n, heir := startNode(t, "self slow"), startNode(t, "self")
		v.move(n.address, next())
		answered := make(chan error, 1)
		go func() {
			_, err := r.Ask(context.Background(), address("killed"), request(3), 0, add(1))
			answered <- err
		}()
		eventually(t, "the command is in flight", func() bool { return r.Pending(n.address) == 1 })
		n.kill()
		eventually(t, "the attempt ends", func() bool { return r.Pending(n.address) == 0 })
		v.move(heir.address, next())
		if err := <-answered; err != nil {
			t.Errorf("with an heir: %v", err)
		}
	})
}

// askOther asks entities of the other node from many goroutines.
func askOther(t *testing.T, r *actors.Runtime, p *probe) {
	var group sync.WaitGroup
	for n := range 200 {
		group.Go(func() {
			if _, err := r.Ask(context.Background(), address("far"), request(n), 0, add(1)); err != nil {
				t.Errorf("ask %d: %v", n, err)
			}
		})
	}
	group.Wait()
	if got := total(ask(t, r, address("far"), request(1000), do("read fenced"))); got != 200 {
		t.Errorf("got %d, want 200", got)
	}
	first := total(ask(t, r, address("far"), request(1001), batch(1)))
	if again := total(ask(t, r, address("far"), request(1001), batch(1))); again != first {
		t.Errorf("repeated request: got %d, want %d", again, first)
	}
	if _, err := r.Ask(t.Context(), address("far"), request(1002), 0, do("panic")); !errors.Is(err, actors.ErrInternal) {
		t.Errorf("panic over there: got %v, want ErrInternal", err)
	}
	r.Tell(address("far"), request(1003), 0, add(1))
	eventually(t, "the told command has its effect", func() bool {
		return total(ask(t, r, address("far"), request(1004), do("read"))) == first+1
	})
	for range 2 { // a flow, whose entities both live over there
		if got := total(ask(t, r, address("flown"), request(1005), do("both"))); got != 11 {
			t.Errorf("flow: got %d, want 11", got)
		}
	}
	if n := p.loads.Load(); n != 0 {
		t.Errorf("%d entities were loaded here", n)
	}
}

// claim is what a node says of itself.
func claim(cluster string) string {
	return "\x01" + strings.Repeat("\x00", 8) + "\x00" + string(byte(len(cluster))) + cluster + "\x00\x02n2"
}

// knock proves a secret, says something, and returns the answer.
func knock(t *testing.T, address string, key byte, says string) ([]byte, error) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return proof.Dial(c, proof.Port{Ring: secrets(key), Use: secret.RPC, Address: address}, []byte(says))
}

// deadAddress is an address that refuses connections.
func deadAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
