package login

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
)

// Cut is the login after the time of its shard was set back: one that begins later than
// now begins now and lasts as long. It returns l itself when there is nothing to cut.
func (l *Login) Cut(at actors.Times) *Login {
	now := at.Now.UnixMilli()
	late := l.GetNotBeforeMs() - now
	begins := late > actors.Skew.Milliseconds()
	if !begins && l.GetInvalidatedMs() <= now {
		return l
	}
	cut := proto.Clone(l).(*Login)
	if begins {
		cut.NotBeforeMs, cut.NotAfterMs = now, l.GetNotAfterMs()-late
	}
	cut.InvalidatedMs = min(l.GetInvalidatedMs(), now)
	return cut
}

// CutEnded returns what is remembered of ended logins, none for longer than if it ended
// now, and whether anything changed.
func CutEnded(ended []*Ended, at actors.Times) ([]*Ended, bool) {
	limit := at.Seen().Add(remembered).UnixMilli()
	if !slices.ContainsFunc(ended, func(e *Ended) bool { return e.GetUntilMs() > limit }) {
		return ended, false
	}
	cut := make([]*Ended, len(ended))
	for i, e := range ended {
		cut[i] = &Ended{Id: e.GetId(), UntilMs: min(e.GetUntilMs(), limit)}
	}
	return cut, true
}
