package trial

import (
	"bytes"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
)

// fresh is how long ago a key was noted as seen, at most. A key is so remembered for longer
// than the trial that was begun with it.
const fresh = 24 * time.Hour

// decide finds the decision function for a command to a key.
func (s *Key) decide(_ actors.Address, t *actors.Turn) (d intent.Decision[Key], known bool) {
	at := t.Times()
	switch m := t.Command().(type) {
	case *Find:
		return intent.Decision[Key]{Reply: &FindReply{Trial: s.at(m.GetEpoch())}}, true
	case *Claim:
		return s.claim(m, at), true
	case *Expire:
		return expire(s, m, at), true
	}
	return d, false
}

// at is the trial in an epoch; those of earlier ones were reset.
func (s *Key) at(epoch uint64) []byte {
	if s.GetEpoch() < epoch {
		return nil
	}
	return s.GetTrial()
}

// claim gives the key a trial unless it has one. That the key is in use is noted once a day.
func (s *Key) claim(m *Claim, at actors.Times) intent.Decision[Key] {
	next := &Key{Trial: bytes.Clone(m.GetTrial()), Epoch: m.GetEpoch(), TtlMs: m.GetTtlMs(), SeenMs: at.Seen().UnixMilli()}
	if has := s.at(m.GetEpoch()); len(has) > 0 {
		next.Trial, next.Epoch = has, s.GetEpoch()
		if s.GetTtlMs() == next.GetTtlMs() && next.GetSeenMs()-s.GetSeenMs() < fresh.Milliseconds() {
			return intent.Decision[Key]{Reply: &ClaimReply{Trial: has}}
		}
	}
	return intent.Decision[Key]{Reply: &ClaimReply{Trial: next.GetTrial()}, Next: next}
}

// Cut implements [intent.Cuts].
func (s *Key) Cut(at actors.Times) bool { return cutSeen(&s.SeenMs, at) }

func (s *Key) gone(retention time.Duration, at actors.Times) bool {
	return s.GetSeenMs() != 0 && over(s.GetSeenMs()+s.GetTtlMs(), retention+fresh, at)
}

// day is how long an address remembers which trials began there.
const day = 24 * time.Hour

// decide finds the decision function for a command to an address.
func (s *Address) decide(_ actors.Address, t *actors.Turn) (d intent.Decision[Address], known bool) {
	at := t.Times()
	switch m := t.Command().(type) {
	case *Charge:
		return s.charge(m, at.Now), true
	case *Expire:
		return expire(s, m, at), true
	}
	return d, false
}

// charge counts a trial, unless that would be too many. It takes the place of one that
// yields to it.
func (s *Address) charge(m *Charge, now time.Time) intent.Decision[Address] {
	next, since := &Address{}, now.UnixMilli()
	for _, b := range s.GetBegun() {
		switch {
		case bytes.Equal(b.GetTrial(), m.GetTrial()):
			return intent.Decision[Address]{Reply: &ChargeReply{}}
		case b.GetAtMs() <= now.Add(-day).UnixMilli():
		case slices.ContainsFunc(m.GetYielded(), func(id []byte) bool { return bytes.Equal(b.GetTrial(), id) }):
			since = min(since, b.GetAtMs())
		default:
			next.Begun = append(next.Begun, b)
		}
	}
	if int64(len(next.Begun)) >= m.GetMost() {
		return intent.Decision[Address]{Reply: &ChargeReply{Refused: true}}
	}
	next.Begun = append(next.Begun, &Begun{Trial: bytes.Clone(m.GetTrial()), AtMs: since})
	return intent.Decision[Address]{Reply: &ChargeReply{}, Next: next}
}

// Cut implements [intent.Cuts].
func (s *Address) Cut(at actors.Times) (did bool) {
	now := at.Now.UnixMilli()
	for _, b := range s.Begun {
		did = did || b.AtMs > now+actors.Skew.Milliseconds()
		b.AtMs = min(b.AtMs, now)
	}
	return did
}

func (s *Address) gone(_ time.Duration, at actors.Times) bool {
	for _, b := range s.GetBegun() {
		if b.GetAtMs() > at.Now.Add(-day).UnixMilli() {
			return false
		}
	}
	return len(s.GetBegun()) > 0
}

// decide finds the decision function for a command to an epoch. It is kept for ever: one
// record for each MVPD that was ever reset.
func (s *Epoch) decide(_ actors.Address, t *actors.Turn) (d intent.Decision[Epoch], known bool) {
	switch t.Command().(type) {
	case *Current:
		return intent.Decision[Epoch]{Reply: &EpochReply{Number: s.GetNumber()}}, true
	case *Advance:
		next := proto.Clone(s).(*Epoch)
		next.Number++
		return intent.Decision[Epoch]{Reply: &EpochReply{Number: next.Number}, Next: next}, true
	}
	return d, false
}
