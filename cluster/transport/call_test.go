package transport_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ssod/cluster/transport"
)

// echo answers with who asked what.
func echo(_ context.Context, from nodeID, request []byte) ([]byte, error) {
	if string(request) == "refuse" {
		return nil, errors.New("no such thing")
	}
	return fmt.Appendf(nil, "%d: %s", from, request), nil
}

// answering starts a node that answers requests.
func answering(t testing.TB, id nodeID, h transport.Handler, options ...option) *testNode {
	n := open(t, id, options...)
	n.Handle(h)
	n.Start(n.recorder)
	return n
}

func TestRequestsAreAnswered(t *testing.T) {
	for name, options := range modes(t) {
		t.Run(name, func(t *testing.T) {
			a, b := start(t, 1, options...), answering(t, 2, echo, options...)
			know(t, a, b.peer)
			var callers sync.WaitGroup
			for i := range 20 {
				callers.Go(func() {
					got, err := a.Call(t.Context(), 2, fmt.Append(nil, i))
					if want := fmt.Sprint("1: ", i); err != nil || string(got) != want {
						t.Errorf("got %q, %v, want %q", got, err, want)
					}
				})
			}
			callers.Wait()
			if _, err := a.Call(t.Context(), 2, []byte("refuse")); !errors.Is(err, transport.ErrRefused) {
				t.Errorf("a request that fails: got %v, want ErrRefused", err)
			}
			if _, err := a.Call(t.Context(), 3, nil); !errors.Is(err, transport.ErrUnknownNode) {
				t.Errorf("a node that is not known: got %v, want ErrUnknownNode", err)
			}
			if _, err := b.Call(t.Context(), 1, []byte("x")); err == nil {
				t.Error("a node without a handler answered")
			}
		})
	}
}

// dials counts the connections that a node opens for requests.
func dials(count *atomic.Int32) option {
	return func(c *transport.Config) {
		c.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
			count.Add(1)
			var d net.Dialer
			return d.DialContext(ctx, "tcp", addr)
		}
	}
}

func TestRequestsShareAConnection(t *testing.T) {
	for name, options := range modes(t) {
		t.Run(name, func(t *testing.T) {
			var dialed atomic.Int32
			a, b := start(t, 1, append(options, dials(&dialed))...), answering(t, 2, echo, options...)
			know(t, a, b.peer)
			connected(t, a, 2)
			before := dialed.Load()
			for range 10 {
				if _, err := a.Call(t.Context(), 2, []byte("x")); err != nil {
					t.Fatal(err)
				}
			}
			if got := dialed.Load() - before; got != 1 {
				t.Errorf("ten requests took %d connections, want 1", got)
			}
		})
	}
}

// A connection that ended while nothing was asked costs no request.
func TestARequestSurvivesACutWhileIdle(t *testing.T) {
	b := answering(t, 2, echo)
	p := newProxy(t, b)
	a := start(t, 1, through(p, b))
	know(t, a, b.peer)
	connected(t, a, 2)
	for i := range 5 {
		if _, err := a.Call(t.Context(), 2, []byte("x")); err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
		p.Cut()
		connected(t, a, 2)
	}
}

// A request that failed leaves no connection behind that answers the next one.
func TestALateAnswerIsNotTakenForTheNext(t *testing.T) {
	release := make(chan struct{})
	a := start(t, 1)
	b := answering(t, 2, func(ctx context.Context, from nodeID, request []byte) ([]byte, error) {
		if string(request) == "slow" {
			<-release
		}
		return echo(ctx, from, request)
	})
	know(t, a, b.peer)
	if _, err := a.Call(t.Context(), 2, []byte("first")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := a.Call(ctx, 2, []byte("slow")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want that time was up", err)
	}
	close(release)
	if got, err := a.Call(t.Context(), 2, []byte("next")); err != nil || string(got) != "1: next" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestACallEndsWithItsContext(t *testing.T) {
	asked := make(chan struct{})
	a := start(t, 1)
	b := answering(t, 2, func(ctx context.Context, _ nodeID, _ []byte) ([]byte, error) {
		close(asked)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	know(t, a, b.peer)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	if _, err := a.Call(ctx, 2, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
	b.Close()
}

func TestAStrangerMayAskWithoutAnID(t *testing.T) {
	authority := newAuthority(t)
	member := answering(t, 2, echo, secured(t, authority))
	credentials, err := authority.Credentials("n9")
	if err != nil {
		t.Fatal(err)
	}
	stranger := transport.Stranger{Secrets: ring(t, 1), Name: "n9", Credentials: credentials}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if got, err := stranger.Ask(ctx, "n2", member.Addr(), []byte("let me in")); err != nil || string(got) != "0: let me in" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := stranger.Ask(ctx, "n3", member.Addr(), nil); err == nil {
		t.Error("a member was taken for another")
	}
	liar := transport.Stranger{Secrets: ring(t, 1), Name: "n8", Credentials: credentials}
	if _, err := liar.Ask(ctx, "n2", member.Addr(), nil); !errors.Is(err, transport.ErrNode) {
		t.Errorf("with another's certificate: got %v, want ErrNode", err)
	}
	other, err := newAuthority(t).Credentials("n9")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (transport.Stranger{Secrets: ring(t, 1), Name: "n9", Credentials: other}).Ask(ctx, "n2", member.Addr(), nil); err == nil {
		t.Error("a certificate of another authority was accepted")
	}
	if _, err := (transport.Stranger{Secrets: ring(t, 1), Name: "n9"}).Ask(ctx, "n2", member.Addr(), nil); err == nil {
		t.Error("a stranger without a certificate was answered")
	}
	if n := len(member.Peers()); n != 0 {
		t.Errorf("the member has %d peers, want none", n)
	}
}
