package history

import (
	"fmt"
	"math"
	"time"

	"github.com/anishathalye/porcupine"
)

// Devices is how many devices each viewer of a history of members has.
const Devices = 3

// MemberCall is one call of a device. Token is the membership number in the
// service token that it sent.
type MemberCall struct {
	Viewer, Device int
	What           string // join, refresh, list, unlink
	Token          int64
	Target         int // of unlink
}

// MemberAnswer is the answer. Unknown: the connection broke, so the call may or
// may not have happened.
type MemberAnswer struct {
	Unknown, Refused bool
	Membership       int64         // join
	Members          [Devices]bool // list
	Removed          bool          // unlink
}

// Operation is a call with its answer. The times are since the history began.
func (c MemberCall) Operation(call time.Duration, a MemberAnswer, back time.Duration) porcupine.Operation {
	to := int64(back)
	if a.Unknown {
		to = math.MaxInt64 // perhaps later, perhaps never
	}
	return porcupine.Operation{ClientId: c.Viewer*Devices + c.Device, Input: c, Call: int64(call), Output: a, Return: to}
}

// members is the state of a profile: the membership number of each device, 0
// for none, and the largest number ever given. unknownNumber is a membership
// whose number nobody was told.
type members struct {
	number [Devices]int64
	last   int64
}

const unknownNumber = -1

// memberModel says how one profile behaves when calls come one by one.
var memberModel = porcupine.Model{
	Partition: byViewer,
	Init:      func() any { return members{} },
	Step: func(state, input, output any) (bool, any) {
		s, op, result := state.(members), input.(MemberCall), output.(MemberAnswer)
		if op.What == "join" {
			return s.join(op.Device, result)
		}
		if accepted := s.number[op.Device] == op.Token; !result.Unknown && accepted == result.Refused {
			return false, s
		} else if !accepted {
			return true, s
		}
		switch op.What {
		case "list":
			return result.Unknown || result.Members == s.present(), s
		case "unlink":
			was := s.number[op.Target] != 0
			s.number[op.Target] = 0
			return result.Unknown || result.Removed == was, s
		}
		return true, s // refresh
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
}

// join makes the device a member with a number that was never given before, or
// meets the membership that it has.
func (s members) join(device int, result MemberAnswer) (bool, any) {
	known := s.number[device]
	if result.Unknown {
		if known == 0 {
			s.number[device] = unknownNumber
		}
		return true, s
	}
	if known > 0 {
		return result.Membership == known, s
	}
	if known == 0 && result.Membership <= s.last {
		return false, s // a number that was given before
	}
	s.number[device], s.last = result.Membership, max(s.last, result.Membership)
	return true, s
}

func (s members) present() (set [Devices]bool) {
	for i, number := range s.number {
		set[i] = number != 0
	}
	return set
}

func byViewer(history []porcupine.Operation) [][]porcupine.Operation {
	parts := map[int][]porcupine.Operation{}
	for _, op := range history {
		v := op.Input.(MemberCall).Viewer
		parts[v] = append(parts[v], op)
	}
	out := make([][]porcupine.Operation, 0, len(parts))
	for _, part := range parts {
		out = append(out, part)
	}
	return out
}

// CheckMembers reports whether the answers can be explained within the time.
func CheckMembers(history []porcupine.Operation, within time.Duration) porcupine.CheckResult {
	return porcupine.CheckOperationsTimeout(memberModel, history, within)
}
