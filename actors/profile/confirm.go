package profile

import (
	"slices"

	"ssod/actors"
)

// history bounds the codes that are kept only to say what became of them: as many as the
// default of maxIssued allows in two lifetimes.
const history = 32

// status is what the device that created a code is told of it.
func (c *code) status(at actors.Times) CodeStatus {
	switch {
	case c.used != 0:
		return CodeStatus_REDEEMED
	case c.ended != 0 || at.Now.UnixMilli() >= c.notAfter:
		return CodeStatus_EXPIRED
	case c.guest != nil:
		return CodeStatus_PENDING
	default:
		return CodeStatus_OPEN
	}
}

// live reports whether a code can be redeemed.
func (c *code) live(at actors.Times) bool {
	s := c.status(at)
	return s == CodeStatus_OPEN || s == CodeStatus_PENDING
}

// end ends a code before its time. No device waits for it then.
func (c *code) end(at actors.Times) {
	c.ended, c.guest = at.Now.UnixMilli(), nil
}

// over is the number of ms since a code was used, ended or expired.
func (c *code) over(at actors.Times) int64 {
	switch ms := at.Now.UnixMilli(); {
	case c.used != 0:
		return ms - c.used
	case c.ended != 0:
		return ms - c.ended
	default:
		return ms - c.notAfter
	}
}

// known reports whether the device that created a code can still read it: for one
// lifetime after its end.
func (c *code) known(at actors.Times) bool { return c.over(at) < c.notAfter-c.notBefore }

// staleGuests reports whether a device is remembered that came with a code which can no
// longer be read.
func (s *state) staleGuests(at actors.Times) bool {
	return slices.ContainsFunc(s.codes, func(c code) bool { return c.guest != nil && !c.known(at) })
}

// prune drops codes that no answer depends on any more.
func (s *state) prune(at actors.Times) {
	s.codes = slices.DeleteFunc(s.codes, func(c code) bool {
		return !c.known(at) && (c.used == 0 || c.over(at) >= raceWindow.Milliseconds())
	})
	told := func(c code) bool {
		return !c.live(at) && (c.used == 0 || c.over(at) >= raceWindow.Milliseconds())
	}
	surplus := -history
	for _, c := range s.codes {
		if told(c) {
			surplus++
		}
	}
	s.codes = slices.DeleteFunc(s.codes, func(c code) bool {
		if !told(c) {
			return false
		}
		surplus--
		return surplus >= 0
	})
}

// hold decides about a device of another network that comes with a live code, unless it
// may join at once. Where confirmation is required the first such device gets the code.
func (s *state) hold(i int, m *Redeem, at actors.Times) (d decision, decided bool) {
	if !m.GetOtherNetwork() || m.GetPolicy() == OtherNetwork_ALLOW {
		return decision{}, false
	}
	unusable := answer(&RedeemReply{Failure: Failure_CODE_UNUSABLE})
	if m.GetPolicy() != OtherNetwork_CONFIRM {
		return unusable, true
	}
	g, did := s.codes[i].guest, Did(m.GetDevice().GetId())
	switch {
	case g == nil:
		return s.receive(i, m, at), true
	case g.did != did:
		return unusable, true
	case g.confirmed:
		return decision{}, false
	}
	return decision{reply: &RedeemReply{Failure: Failure_PENDING_CODE}, soft: func(s *state) {
		if c := &s.codes[i]; c.guest == g {
			c.guest = g.seenAt(max(g.seen, at.Now.UnixMilli()))
		}
	}}, true
}

// receive makes a code pending for a device, if that could join.
func (s *state) receive(i int, m *Redeem, at actors.Times) decision {
	did := Did(m.GetDevice().GetId())
	if !s.room(did, int(m.GetMaxDevices()), at) {
		return answer(&RedeemReply{Failure: Failure_TOO_MANY_DEVICES})
	}
	next := s.clone()
	next.codes[i].guest = &guest{
		did: did, attributes: fitted(m.GetDevice().GetAttributes()), guess: string(m.GetGuess()), seen: at.Now.UnixMilli(),
	}
	return decision{reply: &RedeemReply{Failure: Failure_PENDING_CODE, Asked: true}, next: next}
}

func (g *guest) seenAt(ms int64) *guest {
	c := *g
	c.seen = ms
	return &c
}

// readCode tells the device that created a code what became of it.
func (s *state) readCode(m *ReadCode, at actors.Times) decision {
	i, f := s.ownCode(m.GetCaller(), m.GetCodeHash(), at)
	if f != Failure_OK {
		return answer(&CodeReply{Failure: f})
	}
	return decision{reply: s.tell(i, at), soft: m.GetCaller().seen(at)}
}

// ownCode finds a code that the caller created and that is still known. Another device's
// code does not exist for it.
func (s *state) ownCode(c *Caller, hash []byte, at actors.Times) (i int, f Failure) {
	if f := s.judge(c); f != Failure_OK {
		return -1, f
	}
	did := c.digest()
	i = slices.IndexFunc(s.codes, func(c code) bool { return c.hash == string(hash) && c.did == did })
	if i < 0 || !s.codes[i].known(at) {
		return -1, Failure_CODE_UNUSABLE
	}
	return i, Failure_OK
}

// tell describes a code to the device that created it, with the device that joined by it
// as long as that is a member.
func (s *state) tell(i int, at actors.Times) *CodeReply {
	c := &s.codes[i]
	r := &CodeReply{Status: c.status(at), NotAfterMs: c.notAfter}
	switch r.Status {
	case CodeStatus_PENDING:
		r.OtherNetwork = true
		r.Device = &Member{Attributes: []byte(c.guest.attributes), LastSeenMs: c.guest.seen, Type: MemberType_SSO}
	case CodeStatus_REDEEMED:
		r.OtherNetwork = c.otherNetwork
		if m := s.alive(c.usedBy, c.usedMembership); m != nil {
			r.Device = &Member{Attributes: []byte(m.attributes), LastSeenMs: m.lastSeen, Type: m.kind}
		}
	}
	return r
}

// confirm carries out the decision of the device that created a code: the device that
// waits may join until the code expires, or the code ends, even if it was confirmed
// before. Nothing is confirmed in advance, and a device that has joined stays.
func (s *state) confirm(m *Confirm, at actors.Times) decision {
	i, f := s.ownCode(m.GetCaller(), m.GetCodeHash(), at)
	if f != Failure_OK {
		return answer(&CodeReply{Failure: f})
	}
	c := &s.codes[i]
	if !c.live(at) || m.GetJoin() && (c.guest == nil || c.guest.confirmed) {
		return decision{reply: s.tell(i, at), soft: m.GetCaller().seen(at)}
	}
	next := s.clone()
	if see := m.GetCaller().seen(at); see != nil {
		see(next)
	}
	if m.GetJoin() {
		confirmed := *c.guest
		confirmed.confirmed = true
		next.codes[i].guest = &confirmed
	} else {
		next.codes[i].end(at)
	}
	reply := next.tell(i, at)
	reply.Decided = c.guest != nil
	if !m.GetJoin() {
		reply.Freed = [][]byte{[]byte(c.hash)}
		if c.guest != nil {
			reply.Guess = []byte(c.guest.guess)
		}
	}
	return decision{reply: reply, next: next}
}
