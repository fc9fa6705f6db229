package stream

import (
	"errors"
	"net"
	"sync"
	"testing"
	"time"
)

// TestAQueueIsBounded: no more waits for a node that takes nothing than has room, and
// who sends hears so at once.
func TestAQueueIsBounded(t *testing.T) {
	a := startEnd(t, papersOf(t, 1, 2), anywhere)
	l := newLink(a.Node) // is never up
	long := make([]byte, MaxEnvelope)
	sent := 0
	var err error
	for ; err == nil; sent++ {
		err = l.Send(Command, long)
	}
	if !errors.Is(err, ErrFull) || sent < maxWaiting/MaxEnvelope {
		t.Fatalf("got %v after %d", err, sent)
	}
	if err := l.Send(Answer, long); err != nil {
		t.Errorf("an answer has no room beside commands: %v", err)
	}
	if err := l.Send(Command, make([]byte, MaxEnvelope+1)); !errors.Is(err, ErrTooLong) {
		t.Errorf("got %v, want ErrTooLong", err)
	}
	if got := a.full.Load(); got != 1 {
		t.Errorf("%d refused", got)
	}
	many := newLink(a.Node)
	for sent, err = 0, nil; err == nil; sent++ {
		err = many.Send(Tell, nil)
	}
	if !errors.Is(err, ErrFull) || sent != maxEnvelopes+1 {
		t.Errorf("got %v after %d", err, sent)
	}
}

// mute is the address of a node that lets others in and then takes nothing from them,
// like a process that stands still.
func mute(t *testing.T, papers Papers) string {
	t.Helper()
	listener, err := net.Listen("tcp", anywhere)
	if err != nil {
		t.Fatal(err)
	}
	var tasks sync.WaitGroup
	tasks.Go(func() {
		raw, err := listener.Accept()
		if err != nil {
			return
		}
		defer raw.Close()
		if _, err := papers.admit(t.Context(), raw, listener.Addr().String()); err != nil {
			t.Errorf("it is not let in: %v", err)
		}
		<-t.Context().Done()
	})
	t.Cleanup(func() {
		listener.Close()
		tasks.Wait()
	})
	return listener.Addr().String()
}

// TestSignsOfLife: a link on which nothing comes back is given up, one that is merely
// quiet is not.
func TestSignsOfLife(t *testing.T) {
	a, b := pair(t)
	l := link(t, a, b.Address())
	if err := l.Send(Command, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is answered", a.has(1))
	heard := time.Duration(l.heard.Load())
	if !l.alive(heard+quietTime-1) || l.asked.Load() != 0 {
		t.Fatal("it is asked too early")
	}
	if !l.alive(heard+quietTime) || l.asked.Load() == 0 {
		t.Fatal("it is not asked")
	}
	eventually(t, "the sign comes", func() bool { return time.Duration(l.heard.Load()) > heard })
	heard = time.Duration(l.heard.Load())
	l.asked.Store(int64(heard + 1))
	if !l.alive(heard + silentTime) {
		t.Error("it is given up too early")
	}
	if l.alive(heard + 1 + silentTime) {
		t.Error("it is not given up")
	}
	l.asked.Store(0)
	l.wrote.Store(int64(heard + 1)) // something is under way
	if !l.alive(heard+tick-1) || l.asked.Load() != 0 {
		t.Error("it is asked too early")
	}
	if !l.alive(heard+tick) || l.asked.Load() == 0 {
		t.Error("it is not asked although something is under way")
	}
}

// TestASilentNodeIsGivenUp: a process that stands still answers nothing, and does not
// end its connections.
func TestASilentNodeIsGivenUp(t *testing.T) {
	a := startEnd(t, papersOf(t, 1, 2), anywhere)
	l := link(t, a, mute(t, papersOf(t, 2, 1)))
	if err := l.Send(Command, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is given up", func() bool { return len(a.lost()) == 1 })
	if !a.says(ErrSilent.Error()) {
		t.Errorf("the log says %s", a.log.String())
	}
}
