package login

import (
	"bytes"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
)

// Bounds of what one entity keeps.
const (
	// MaxLogins is how many logins one entity keeps, each at another MVPD. The
	// one that ends first makes room.
	MaxLogins = 16
	// maxEnded is how many ended logins are remembered.
	maxEnded = 64
	// remembered is how long: longer than an intent can be under way.
	remembered = 24 * time.Hour
	// explained is how long an expired login is kept, to tell the client.
	explained = 30 * 24 * time.Hour
)

// Standing says what a login is good for.
type Standing int

// The standings.
const (
	Missing Standing = iota
	Good
	Expired
	Invalidated
)

// Standing is what the login is good for now; a nil login is missing.
func (l *Login) Standing(now time.Time) Standing {
	switch {
	case l == nil:
		return Missing
	case l.GetInvalidatedMs() != 0:
		return Invalidated
	case now.UnixMilli() >= l.GetNotAfterMs():
		return Expired
	default:
		return Good
	}
}

// Over reports whether the login can be dropped.
func (l *Login) Over(at actors.Times) bool {
	return at.Over().UnixMilli() >= l.GetNotAfterMs()+explained.Milliseconds()
}

// Remember returns ended with one more login, and without those that are too old.
func Remember(ended []*Ended, id []byte, at actors.Times) []*Ended {
	ended = Current(ended, at)
	if len(id) == 0 || Has(ended, id) {
		return ended
	}
	if len(ended) == maxEnded {
		ended = ended[1:]
	}
	return append(ended, &Ended{Id: id, UntilMs: at.Seen().Add(remembered).UnixMilli()})
}

// Current returns those that are not too old, in a new slice.
func Current(ended []*Ended, at actors.Times) []*Ended {
	return slices.DeleteFunc(slices.Clone(ended), func(e *Ended) bool { return at.Over().UnixMilli() >= e.GetUntilMs() })
}

// Has reports whether a login is remembered as ended.
func Has(ended []*Ended, id []byte) bool {
	return slices.ContainsFunc(ended, func(e *Ended) bool { return bytes.Equal(e.GetId(), id) })
}

// Invalidate returns a marked copy of a login.
func (l *Login) Invalidate(now time.Time) *Login {
	marked := proto.Clone(l).(*Login)
	marked.InvalidatedMs = now.UnixMilli()
	return marked
}

// Tell returns a copy of a login with what the MVPD says of the viewer now.
func (l *Login) Tell(m *Tell) *Login {
	told := proto.Clone(l).(*Login)
	told.Account, told.Told = m.GetAccount(), m.GetNumber()
	return told
}
