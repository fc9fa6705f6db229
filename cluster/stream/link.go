package stream

import (
	"bufio"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// What may wait for the other end of a link. A node that is alive takes it in
// milliseconds. Answers have room beside commands, because they end something.
const (
	maxWaiting   = 8 << 20 // bytes of commands
	maxEnvelopes = 16384   // commands
	answersMore  = 8 << 20 // bytes of answers, beside those
)

// busy is from how many envelopes without an answer on who writes lets others run
// first, because some of them have something to write too. With fewer there is nobody,
// and letting them run wakes a thread for nothing.
const busy = 4

// Link is a connection to another node, or one that is being made.
type Link struct {
	n   *Node
	who Member
	c   conn

	mu      sync.Mutex
	out     batch // what goes with the next write
	spare   batch // the one before it
	writing bool  // somebody writes or is about to; also while it is being made
	up      bool
	ended   bool
	waiting int           // bytes of envelopes in out and in the write under way
	count   int           // envelopes, likewise
	wake    chan struct{} // leaves the writing to write; has room for one signal
	done    chan struct{} // closed when it has ended

	open  atomic.Int64 // commands on their way there and back, about
	heard atomic.Int64 // when something came last, as Node.now
	wrote atomic.Int64 // when something was written last
	asked atomic.Int64 // when a sign of life was asked for
}

func newLink(n *Node) *Link {
	return &Link{n: n, writing: true, wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// Up reports whether the connection is made.
func (l *Link) Up() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.up && !l.ended
}

// Send puts an envelope behind those that wait for the other node, which is all that
// it takes. The payload is copied. It fails with [ErrDown], [ErrFull] or [ErrTooLong];
// the envelope may also be lost later, and then [Config.Ended] is told.
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

// put gathers an envelope. It reports whether the caller is to write it.
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

// hold makes the caller the one who writes, if nobody else is. Until he flushes,
// envelopes gather; he must not wait for anything.
func (l *Link) hold() (mine bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	mine = !l.writing
	l.writing = true
	return mine
}

// flush writes what has gathered once; the caller is the one who writes. What the
// socket does not take, and what comes meanwhile, is left to write.
func (l *Link) flush() {
	if !l.take() {
		return
	}
	all, err := l.c.under.try()
	switch {
	case err != nil:
		l.end(err)
	case !all || !l.rest():
		l.wake <- struct{}{}
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

// take hands what has gathered to the connection. Without anything nobody writes any
// more.
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

// begin says that the handshake is over; the connection reads and writes from now on.
func (l *Link) begin(c conn) bool {
	c.under.begin()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		c.under.Close()
		return false
	}
	l.c, l.who, l.up = c, c.who, true
	l.heard.Store(l.n.now())
	return true
}

// run reads and writes until the connection ends. What gathered while it was made is
// written first.
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

// read takes the frames that come.
func (l *Link) read() error {
	r := frameReader{r: bufio.NewReaderSize(l.c, readBuffer)}
	for {
		frame, err := r.next()
		if err != nil {
			return err
		}
		if err := l.n.cfg.Papers.permit(l.who, nil); err != nil {
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
		if mine { // whoever wrote when the frame came has ended meanwhile
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

// refuse says why the connection ends, unless the other side takes nothing.
func (l *Link) refuse(err error) {
	text := err.Error()
	if mine, _ := l.put(refusal, []byte(text[:min(len(text), 200)])); mine {
		l.flush()
	}
}

// end ends the link, once. Nobody gets it from its node any more when Ended is told.
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

// alive asks for a sign of life when there was none for a while, and reports false
// when none came.
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
