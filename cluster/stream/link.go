package stream

import (
	"bufio"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"ssod/cluster/wait"
)

// Bounds of what waits for the other end of a link. A live node takes it in milliseconds.
// Answers have room in addition, because they end something.
const (
	maxWaiting   = 8 << 20 // bytes of commands
	maxEnvelopes = 16384   // commands
	answersMore  = 8 << 20 // bytes of answers, in addition
)

// busy is the number of unanswered commands from which a writer lets other goroutines run
// first, because some of them have something to write too. With fewer, that only wakes a
// thread.
const busy = 4

// Link is a connection to another node, perhaps still being made.
type Link struct {
	n      *Node
	member Member
	c      conn

	mu      sync.Mutex
	out     batch // what goes with the next write
	spare   batch // the one before it
	writing bool  // a goroutine writes or is about to; also while the link is being made
	up      bool
	ended   bool
	waiting int           // bytes of envelopes in out and in the write under way
	count   int           // envelopes, likewise
	wake    wait.Signal   // leaves the writing to write
	done    chan struct{} // closed when it has ended

	open  atomic.Int64 // about how many commands are unanswered, in both directions
	heard atomic.Int64 // when something came last, as Node.now
	wrote atomic.Int64 // when something was written last
	asked atomic.Int64 // when a ping was sent last
}

func newLink(n *Node) *Link {
	return &Link{n: n, writing: true, wake: wait.NewSignal(), done: make(chan struct{})}
}

// Up reports whether the connection is made.
func (l *Link) Up() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.up && !l.ended
}

// Send queues an envelope for the other node, with a copy of the payload. It fails with
// [ErrDown], [ErrFull] or [ErrTooLong]; the envelope may also be lost later, and then
// [Config.Ended] is called.
func (l *Link) Send(k Kind, payload []byte) error {
	if len(payload) > MaxEnvelope {
		return ErrTooLong
	}
	mine, err := l.put(k, payload)
	if !mine {
		return err
	}
	if l.open.Load() >= busy {
		runtime.Gosched()
	}
	l.flush()
	return nil
}

// put queues an envelope. It reports whether the caller must write it.
func (l *Link) put(k Kind, payload []byte) (mine bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch size := l.waiting + len(payload); {
	case l.ended:
		return false, ErrDown
	case (k == Command || k == Tell) && (size > maxWaiting || l.count >= maxEnvelopes), k == Answer && size > maxWaiting+answersMore:
		l.n.full.Add(1)
		return false, ErrFull
	}
	if k == Command {
		l.open.Add(1)
	} else if k == Answer {
		l.open.Add(-1)
	}
	l.waiting += len(payload)
	l.count++
	l.out.add(k, payload)
	mine = !l.writing
	l.writing = true
	return mine, nil
}

// hold makes the caller the writer, if no other goroutine is. Until it flushes, envelopes
// gather; it must not wait for anything.
func (l *Link) hold() (mine bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	mine = !l.writing
	l.writing = true
	return mine
}

// flush writes what has gathered once, in the writer's goroutine. What the socket does not
// take, and what comes meanwhile, is left to write.
func (l *Link) flush() {
	if !l.take() {
		return
	}
	all, err := l.c.under.try()
	switch {
	case err != nil:
		l.end(err)
	case !all || !l.rest():
		l.wake.Send()
	}
}

// write writes what flush leaves to it, until the link ends.
func (l *Link) write() {
	for {
		select {
		case <-l.wake:
		case <-l.done:
			return
		}
		for more := true; more; more = l.take() {
			if err := l.c.under.flush(silentTime); err != nil {
				l.end(err)
				return
			}
			runtime.Gosched()
		}
	}
}

// take hands what has gathered to the connection. Without anything the writing ends.
func (l *Link) take() bool {
	l.mu.Lock()
	if l.ended || len(l.out.b) == 0 {
		l.writing = false
		l.mu.Unlock()
		return false
	}
	b := l.out
	l.out, l.spare = l.spare, batch{}
	l.mu.Unlock()

	b.seal()
	_, err := l.c.Write(b.b) // into memory
	l.wrote.Store(l.n.now())
	l.n.writes.Add(1)
	l.n.envelopes.Add(uint64(b.envelopes))
	if err != nil {
		l.end(err)
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count -= b.envelopes
	l.waiting -= b.payload
	b.reset()
	l.spare = b
	return true
}

// rest ends the writing if nothing has come meanwhile.
func (l *Link) rest() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writing = len(l.out.b) > 0
	return !l.writing
}

// begin ends the handshake; the connection reads and writes from now on.
func (l *Link) begin(c conn) bool {
	c.under.begin()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		c.under.Close()
		return false
	}
	l.c, l.member, l.up = c, c.member, true
	l.heard.Store(l.n.now())
	return true
}

// run reads and writes until the connection ends.
func (l *Link) run() {
	l.n.tasks.Go(l.write)
	l.flush()
	err := l.read()
	if refusable(err) {
		l.n.refuse(l.c, err)
		l.refuse(err)
	}
	l.end(err)
}

func (l *Link) read() error {
	r := frameReader{r: bufio.NewReaderSize(l.c, readBuffer)}
	for {
		frame, err := r.next()
		if err != nil {
			return err
		}
		if err := l.n.cfg.Papers.permit(l.member, nil); err != nil {
			return err
		}
		l.heard.Store(l.n.now())
		mine := l.hold()
		err = open(frame, l.receive)
		if mine {
			l.flush()
		}
		if err != nil {
			return err
		}
	}
}

// receive takes an envelope.
func (l *Link) receive(k Kind, payload []byte) error {
	switch k {
	case ping:
		mine, err := l.put(pong, nil)
		if mine { // the writing goroutine has finished meanwhile
			l.flush()
		}
		return err
	case pong:
		return nil
	case refusal:
		return fmt.Errorf("%w: it says %q", errRefused, payload)
	case Command:
		l.open.Add(1)
	case Answer:
		l.open.Add(-1)
	}
	return l.n.cfg.Receive(l, k, payload)
}

// refuse sends why the connection ends, unless the other side takes nothing.
func (l *Link) refuse(err error) {
	text := err.Error()
	if mine, _ := l.put(refusal, []byte(text[:min(len(text), 200)])); mine {
		l.flush()
	}
}

// end ends the link, once. [Node.Link] does not return it any more when Ended is called.
func (l *Link) end(why error) {
	l.mu.Lock()
	first := !l.ended
	l.ended = true
	l.out, l.spare, l.waiting, l.count = batch{}, batch{}, 0, 0
	up := l.up
	l.mu.Unlock()
	if !first {
		return
	}
	close(l.done)
	if up {
		l.c.under.Close()
	}
	l.n.ended(l, why)
	l.n.cfg.Ended(l, up)
}

// alive pings a silent link, and reports false when no pong came.
func (l *Link) alive(now time.Duration) bool {
	heard, asked := time.Duration(l.heard.Load()), time.Duration(l.asked.Load())
	quiet := now - heard
	switch {
	case asked > heard:
		return now-asked < silentTime
	case quiet < quietTime && (quiet < tick || time.Duration(l.wrote.Load()) < heard):
		return true
	}
	l.asked.Store(int64(now))
	mine, err := l.put(ping, nil)
	if mine {
		l.flush()
	}
	return err == nil
}

// refusable reports whether err is a mistake of the other side.
func refusable(err error) bool {
	for _, e := range []error{ErrStranger, ErrVersion, ErrOversized, ErrTruncated, ErrChecksum, ErrKind, ErrEnvelope} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
