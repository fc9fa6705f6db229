package profile

import "ssod/actors"

// judge says whether a verified token still opens the profile: its very
// membership must be alive, and only then it matters which device sent it
// (httpfront/docs/headers.md#token-checks, steps membership and device). An external
// token names no device; it opens its profile by itself.
func (s *state) judge(c *Caller) Failure {
	if c.external() {
		return Failure_OK
	}
	did := digest(c.GetDid())
	switch {
	case s.alive(did, c.GetMembership()) == nil:
		return Failure_NOT_MEMBER
	case c.GetBind() && len(c.GetDevice()) > 0 && Did(c.GetDevice()) != did:
		return Failure_WRONG_DEVICE
	default:
		return Failure_OK
	}
}

func (c *Caller) external() bool { return len(c.GetDid()) == 0 }

// digest is the digest of the device that calls: the token's own, or the one
// that the request names when the token names none.
func (c *Caller) digest() [DidSize]byte {
	if c.external() {
		return Did(c.GetDevice())
	}
	return digest(c.GetDid())
}

// seen is the soft effect of every call that passed judge.
func (c *Caller) seen(at actors.Times) func(*state) {
	if c.external() && len(c.GetDevice()) == 0 {
		return nil
	}
	return seen(c.digest(), at)
}
