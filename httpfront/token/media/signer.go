package media

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"ssod/httpfront/slots"
)

// Options is what a [Signer] needs.
type Options struct {
	// Sign signs text with the key that the realm has at the time;
	// [ssod/httpfront/token/keys.Ring.SignMedia] does.
	Sign func(realm, text string, now time.Time) ([]byte, error)
	// Ready waits until the realm has a key; nil: it has.
	// [ssod/httpfront/token/keys.Ring.AwaitMedia] does.
	Ready func(ctx context.Context, realm string) error
	// Parallel is how many signatures are made at once; 0 means one for each
	// CPU. More does not sign faster, fewer leaves CPUs idle.
	Parallel int
	// Waiting is how many requests may wait for their turn; 0 means 1024, about
	// half a second's work of two CPUs.
	Waiting int
}

// Signer makes media tokens on a few threads of its own. It is safe for
// concurrent use.
type Signer struct {
	sign    func(realm, text string, now time.Time) ([]byte, error)
	ready   func(ctx context.Context, realm string) error
	work    chan *signature
	open    atomic.Int64 // signatures that are made or wait
	most    int64
	threads sync.WaitGroup
	closed  chan struct{}
}

// Signed is a token with its validity.
type Signed struct {
	Serialized          string
	NotBefore, NotAfter time.Time
}

// signature is one to be made.
type signature struct {
	ctx         context.Context
	realm, text string
	now         time.Time
	done        chan struct{} // closed when the rest is set
	made        []byte
	err         error
}

// NewSigner returns a signer, which must be closed.
func NewSigner(o Options) *Signer {
	parallel := cmp.Or(o.Parallel, runtime.NumCPU())
	most := parallel + cmp.Or(o.Waiting, 1024)
	s := &Signer{sign: o.Sign, ready: o.Ready, work: make(chan *signature, most), most: int64(most), closed: make(chan struct{})}
	for range parallel {
		s.threads.Go(s.run)
	}
	return s
}

// Close ends the threads. Requests that still wait fail with [slots.ErrBusy].
func (s *Signer) Close() {
	close(s.closed)
	s.threads.Wait()
}

// run makes signatures on a thread of its own with low priority, which ends with it.
func (s *Signer) run() {
	runtime.LockOSThread()
	slots.GiveWay()
	for {
		select {
		case w := <-s.work:
			if w.err = w.ctx.Err(); w.err == nil { // else nobody waits any more
				w.made, w.err = s.sign(w.realm, w.text, w.now)
			}
			close(w.done)
		case <-s.closed:
			return
		}
	}
}

// Sign makes the token of a realm, with an id of its own: a backend that refuses
// a token which it has seen must not refuse another viewer's of the same second.
// t.Issued is cut to seconds. It fails with [slots.ErrBusy], with [ErrText], or
// when ctx ends first.
func (s *Signer) Sign(ctx context.Context, realm string, t Token) (Signed, error) {
	t.ID, t.Issued = rand.Text(), t.Issued.UTC().Truncate(time.Second)
	element, err := t.element()
	if err != nil {
		return Signed{}, fmt.Errorf("media token: %w", err)
	}
	if s.ready != nil { // here, where only this request waits
		if err := s.ready(ctx, realm); err != nil {
			return Signed{}, fmt.Errorf("media token: %w", err)
		}
	}
	w := &signature{ctx: ctx, realm: realm, text: element, now: t.Issued, done: make(chan struct{})}
	if err := s.wait(ctx, w); err != nil {
		return Signed{}, fmt.Errorf("sign a media token: %w", err)
	}
	return Signed{serialize(element, w.made), t.Issued, t.Issued.Add(t.TTL)}, nil
}

// wait has a signature made.
func (s *Signer) wait(ctx context.Context, w *signature) error {
	defer s.open.Add(-1)
	if s.open.Add(1) > s.most {
		return slots.ErrBusy
	}
	s.work <- w // has room for all that are open
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closed:
		return slots.ErrBusy
	}
}
