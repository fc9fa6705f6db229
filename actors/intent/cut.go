package intent

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
)

// Cuts is a state whose times can be later than now, after its shard's time was set back.
type Cuts interface {
	// Cut makes them now, and reports whether there were any. It is idempotent.
	Cut(at actors.Times) bool
}

// Cut returns intents of which none was made later than now, and whether any was changed.
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
