package trial

import (
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/intent"
	"ssod/cluster"
)

// expiring is a state that is forgotten some day.
type expiring[S any] interface {
	*S
	proto.Message
	intent.Cuts
	// gone reports whether it can be forgotten, after it was kept for retention.
	gone(retention time.Duration, at actors.Times) bool
}

// sweep looks at a stored entity and returns a command when it can go, or has times of the
// future.
func sweep[S any, P expiring[S]](retention func() time.Duration) func(h cluster.Head, at actors.Times) proto.Message {
	return func(h cluster.Head, at actors.Times) proto.Message {
		s, err := intent.Decode[S, P](h)
		switch kept := retention(); {
		case err != nil: // activation reports it
			return nil
		case s.Cut(at):
			return &Expire{RetentionMs: kept.Milliseconds(), Cut: true}
		case s.gone(kept, at):
			return &Expire{RetentionMs: kept.Milliseconds()}
		}
		return nil
	}
}

// expire forgets an entity, or stores it as it was cut when it was loaded. It may have been
// used since the sweep looked at it.
func expire[S any, P expiring[S]](s P, m *Expire, at actors.Times) intent.Decision[S] {
	d := intent.Decision[S]{Reply: &ExpireReply{}}
	switch {
	case s.gone(time.Duration(m.GetRetentionMs())*time.Millisecond, at):
		d.Next = new(S)
	case m.GetCut() && proto.Size(s) > 0:
		d.Next = (*S)(proto.Clone(s).(P))
	}
	return d
}

// over reports whether something that ended at a time has been kept for long enough.
func over(endMs int64, retention time.Duration, at actors.Times) bool {
	return at.Over().UnixMilli() >= endMs+retention.Milliseconds()
}

// cutSeen makes a time of the future that at which something is marked now.
func cutSeen(ms *int64, at actors.Times) bool {
	now := at.Seen().UnixMilli()
	if *ms <= now+actors.Skew.Milliseconds() {
		return false
	}
	*ms = now
	return true
}
