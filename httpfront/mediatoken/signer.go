package mediatoken

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"ssod/httpfront/slots"
)

// Options is what a [Signer] needs.
type Options struct {
	// Sign signs text with the key that the realm has at the time;
	// [ssod/httpfront/keys.Ring.SignMedia] does.
	Sign func(realm, text string, now time.Time) ([]byte, error)
	// Parallel is how many signatures are made at once; 0 means one for each
	// CPU that Go uses. More makes other calls wait, fewer leaves CPUs idle.
	Parallel int
	// Waiting is how many requests may wait for their turn; 0 means 1024, about
	// half a second's work of two CPUs.
	Waiting int
}

// Signer makes media tokens on a bounded number of CPUs. It is safe for
// concurrent use and has no goroutine: whoever wants a token signs it.
type Signer struct {
	sign  func(realm, text string, now time.Time) ([]byte, error)
	slots *slots.Slots
}

// Signed is a token with its validity.
type Signed struct {
	Serialized          string
	NotBefore, NotAfter time.Time
}

// NewSigner returns a signer.
func NewSigner(o Options) *Signer {
	return &Signer{sign: o.Sign, slots: slots.New(o.Parallel, cmp.Or(o.Waiting, 1024))}
}

// Sign makes the token of a realm. t.Issued is cut to seconds. It fails with
// [slots.ErrBusy], with [ErrText], or when ctx ends first.
func (s *Signer) Sign(ctx context.Context, realm string, t Token) (Signed, error) {
	t.Issued = t.Issued.UTC().Truncate(time.Second)
	element, err := t.element()
	if err != nil {
		return Signed{}, fmt.Errorf("media token: %w", err)
	}
	if err := s.slots.Enter(ctx); err != nil {
		return Signed{}, fmt.Errorf("media token: %w", err)
	}
	defer s.slots.Leave()
	signature, err := s.sign(realm, element, t.Issued)
	if err != nil {
		return Signed{}, fmt.Errorf("sign a media token: %w", err)
	}
	return Signed{serialize(element, signature), t.Issued, t.Issued.Add(t.TTL)}, nil
}
