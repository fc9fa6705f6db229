package profile

import (
	"slices"
	"time"

	"ssod/actors"
	"ssod/cluster"
)

// raceWindow is how long a used code is remembered: another device that comes with it
// lost a race, and the same device may repeat a request whose answer it did not get;
// httpfront/docs/sso.md#redeem-a-link-code.
const raceWindow = time.Minute

// requestLife is how long a code that was allowed is waited for: the deadline
// of a request.
const requestLife = 10 * time.Second

// link decides whether the caller may have a link code, and makes the one that the
// directory reserved redeemable. It is asked twice. The first answer is not kept, only
// that a code is expected, so that concurrent requests cannot exceed maxIssued. With a
// code a refusal is committed, because the code is given up then: a repeat must get the
// same answer.
func (s *state) link(m *Link, request cluster.RequestID, at actors.Times) decision {
	refusal := s.refuseLink(m, request, at)
	forget := func(s *state) { s.forget(request, at) }
	switch reserved := m.GetCode() != nil; {
	case !reserved && refusal == nil:
		return decision{reply: &LinkReply{}, soft: func(s *state) { s.expect(request, at) }, early: true}
	case !reserved, refusal != nil && s.empty():
		return answer(refusal)
	case refusal != nil:
		refusal.Freed = [][]byte{m.GetCode().GetHash()}
		return decision{reply: refusal, next: s.clone(), soft: forget}
	}
	next := s.clone()
	freed := next.addCode(m, at)
	return decision{reply: &LinkReply{Freed: freed, Code: m.GetCode().answer()}, next: next, soft: forget}
}

// refuseLink says why the caller gets no link code now; nil when it does.
func (s *state) refuseLink(m *Link, request cluster.RequestID, at actors.Times) *LinkReply {
	if f := s.judgeLink(m.GetCaller(), int(m.GetMaxDevices()), at); f != Failure_OK {
		return &LinkReply{Failure: f}
	}
	if retry := s.tooMany(request, int(m.GetMaxIssued()), m.GetTtlMs(), at); retry > 0 {
		return &LinkReply{Failure: Failure_TOO_MANY_CODES, RetryAfterMs: retry}
	}
	return nil
}

// judgeLink judges a caller who wants a link code: an external identity's
// device may join the profile by it, so there must be room.
func (s *state) judgeLink(c *Caller, limit int, at actors.Times) Failure {
	if f := s.judge(c); f != Failure_OK {
		return f
	}
	if c.external() && !s.room(c.digest(), limit, at) {
		return Failure_TOO_MANY_DEVICES
	}
	return Failure_OK
}

// tooMany returns for how many ms the profile must wait for another code; 0
// means that it may have one. Codes that other requests are getting count.
func (s *state) tooMany(request cluster.RequestID, limit int, ttl int64, at actors.Times) (retry int64) {
	ms := at.Now.UnixMilli()
	recent := slices.DeleteFunc(slices.Clone(s.issued), func(at int64) bool { return at+ttl <= ms })
	others := 0
	for _, i := range s.requests {
		if i.request != request && i.until > ms {
			others++
		}
	}
	switch {
	case len(recent)+others < limit:
		return 0
	case len(recent) == 0: // only expected codes: they are decided soon
		return requestLife.Milliseconds()
	default:
		return recent[0] + ttl - ms
	}
}

// expect notes that a request is getting a code.
func (s *state) expect(request cluster.RequestID, at actors.Times) {
	s.forget(request, at)
	s.requests = append(s.requests, linkRequest{request, at.Now.Add(requestLife).UnixMilli()})
}

// forget drops what a request expects, and what has expired.
func (s *state) forget(request cluster.RequestID, at actors.Times) {
	s.requests = slices.DeleteFunc(s.requests, func(i linkRequest) bool {
		return i.request == request || i.until <= at.Now.UnixMilli()
	})
	if len(s.requests) == 0 {
		s.requests = nil
	}
}

// addCode makes a reserved code redeemable, and returns the hashes of those that it
// replaces. A device with an external identity founds or joins the profile by it.
func (s *state) addCode(m *Link, at actors.Times) (freed [][]byte) {
	c, reserved := m.GetCaller(), m.GetCode()
	if c.external() {
		s.join(&Device{Id: c.GetDevice(), Attributes: m.GetAttributes()}, int(m.GetMaxDevices()), at)
	} else {
		s.member(c.digest()).see(at)
	}
	freed = s.makeWay(c.digest(), int(m.GetMaxPerProfile()), at)
	s.codes = append(s.codes, code{
		hash: string(reserved.GetHash()), did: c.digest(), origin: c.GetOriginMs(),
		notBefore: reserved.GetNotBeforeMs(), notAfter: reserved.GetNotAfterMs(),
	})
	s.issue(m.GetTtlMs(), at)
	return freed
}

// answer is the part of a code that its answer shows: not the hash.
func (c *NewCode) answer() *NewCode {
	return &NewCode{
		NotBeforeMs: c.GetNotBeforeMs(), NotAfterMs: c.GetNotAfterMs(),
		Attempt: c.GetAttempt(), Length: c.GetLength(), Alphanumeric: c.GetAlphanumeric(),
	}
}

// reserving reports whether a code is being reserved.
func (s *state) reserving(at actors.Times) bool {
	return slices.ContainsFunc(s.requests, func(i linkRequest) bool { return i.until > at.Now.UnixMilli() })
}

// issue counts a code towards maxIssued.
func (s *state) issue(ttl int64, at actors.Times) {
	ms := at.Now.UnixMilli()
	s.issued = slices.DeleteFunc(s.issued, func(at int64) bool { return at+ttl <= ms })
	s.issued = append(s.issued, ms)
}

// makeWay cancels the codes that a new one of the device replaces: the device's own older
// one, and the oldest of the profile beyond the limit.
func (s *state) makeWay(did [DidSize]byte, limit int, at actors.Times) (freed [][]byte) {
	freed = s.cancel(func(c *code) bool { return c.did == did }, at)
	surplus := s.outstanding(at) + 1 - limit
	freed = append(freed, s.cancel(func(*code) bool {
		surplus--
		return surplus >= 0
	}, at)...)
	s.prune(at)
	return freed
}

// outstanding counts the codes that can be redeemed.
func (s *state) outstanding(at actors.Times) (n int) {
	for i := range s.codes {
		if s.codes[i].live(at) {
			n++
		}
	}
	return n
}

// cancel ends codes that could be redeemed and returns their hashes.
func (s *state) cancel(which func(*code) bool, at actors.Times) (freed [][]byte) {
	for i := range s.codes {
		if c := &s.codes[i]; c.live(at) && which(c) {
			c.end(at)
			freed = append(freed, []byte(c.hash))
		}
	}
	return freed
}

// redeem consumes a code and makes the device a member in one change.
func (s *state) redeem(m *Redeem, at actors.Times) decision {
	i := slices.IndexFunc(s.codes, func(c code) bool { return c.hash == string(m.GetCodeHash()) })
	if i < 0 {
		return answer(&RedeemReply{Failure: Failure_CODE_UNUSABLE})
	}
	if s.codes[i].used != 0 {
		return s.redeemAgain(&s.codes[i], m, at)
	}
	if !s.codes[i].live(at) {
		return answer(&RedeemReply{Failure: Failure_CODE_UNUSABLE})
	}
	if d, decided := s.hold(i, m, at); decided {
		return d
	}
	next := s.clone()
	joined := next.join(m.GetDevice(), int(m.GetMaxDevices()), at)
	if joined == nil {
		return answer(&RedeemReply{Failure: Failure_TOO_MANY_DEVICES})
	}
	next.use(m, joined, at)
	next.prune(at)
	return decision{reply: &RedeemReply{Membership: joined.membership, OriginMs: s.codes[i].originFor(joined.did)}, next: next}
}

// originFor is when a device's chain of tokens began that it continues by a code of its
// own: otherwise a device could prolong its tokens for ever by itself.
func (c *code) originFor(did [DidSize]byte) int64 {
	if c.did == did {
		return c.origin
	}
	return 0
}

// use marks a code as redeemed by a member. A device that waited for it lost a race.
func (s *state) use(m *Redeem, by *member, at actors.Times) {
	for i := range s.codes {
		if c := &s.codes[i]; c.hash == string(m.GetCodeHash()) {
			c.used, c.usedBy, c.usedMembership = at.Now.UnixMilli(), by.did, by.membership
			c.otherNetwork, c.guest = m.GetOtherNetwork(), nil
		}
	}
}

// redeemAgain answers for a used code: within a minute the device that used it gets its
// answer again as long as that very membership is alive, and any other lost a race. After
// that the code does not exist.
func (s *state) redeemAgain(c *code, m *Redeem, at actors.Times) decision {
	if at.Now.UnixMilli()-c.used >= raceWindow.Milliseconds() {
		return answer(&RedeemReply{Failure: Failure_CODE_UNUSABLE})
	}
	did := Did(m.GetDevice().GetId())
	if c.usedBy == did && s.alive(did, c.usedMembership) != nil {
		return decision{reply: &RedeemReply{Membership: c.usedMembership, OriginMs: c.originFor(did)}, soft: seen(did, at)}
	}
	return answer(&RedeemReply{Failure: Failure_CODE_RACE_LOST})
}
