package keys

import (
	"context"
	"crypto/rsa"
	"fmt"
	"runtime"

	"ssod/httpfront/slots"
)

// maxWaiting is how many callers wait for a key pair at most.
const maxWaiting = 256

// pairs makes RSA key pairs, a few at once, on threads of low priority. Making a pair cannot
// be interrupted: when its context ends the caller returns, and the pair keeps its slot
// until it is done.
type pairs struct {
	slots    *slots.Slots
	generate func() (*rsa.PrivateKey, error)
}

func newPairs(parallel int) *pairs { return &pairs{slots.New(parallel, maxWaiting), generateRSA} }

// make makes the material of a key. It fails with [slots.ErrBusy], or when ctx ends.
func (p *pairs) make(ctx context.Context, want wanted) (material, error) {
	switch want.algorithm {
	case HS256, "":
		return random(), nil
	case RS256:
		pair, err := p.rsa(ctx)
		if err != nil {
			return material{}, fmt.Errorf("make a key for %s: %w", want, err)
		}
		return material{rsa: pair}, nil
	}
	return material{}, fmt.Errorf("make a key for %s: unknown algorithm %q", want, want.algorithm)
}

func (p *pairs) rsa(ctx context.Context) (*rsa.PrivateKey, error) {
	if err := p.slots.Enter(ctx); err != nil {
		return nil, err
	}
	type result struct {
		pair *rsa.PrivateKey
		err  error
	}
	made := make(chan result, 1)
	go func() {
		defer p.slots.Leave()
		runtime.LockOSThread() // for good: the thread ends with its priority
		slots.GiveWay()
		pair, err := p.generate()
		made <- result{pair, err}
	}()
	select {
	case m := <-made:
		return m.pair, m.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
