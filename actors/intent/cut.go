package intent

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
)

// Cuts is a state in which times can be later than now, after the time of its
// shard was set back.
type Cuts interface {
	// Cut makes them now, and reports whether there were any. Done again, later or
	// not, it changes nothing more.
	Cut(at actors.Times) bool
}

// Cut returns intents of which none is made later than now, and whether any was.
func Cut(open []*Intent, at actors.Times) ([]*Intent, bool) {
	now := at.Now.UnixMilli()
	if !slices.ContainsFunc(open, func(i *Intent) bool { return i.GetMadeMs() > now }) {
		return open, false
	}
	cut := make([]*Intent, len(open))
	for i, one := range open {
		cut[i] = proto.Clone(one).(*Intent)
		cut[i].MadeMs = min(one.GetMadeMs(), now)
	}
	return cut, true
}
