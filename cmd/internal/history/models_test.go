package history

import (
	"testing"

	"github.com/anishathalye/porcupine"
)

// after makes a history of calls that follow each other.
func after(calls ...porcupine.Operation) []porcupine.Operation {
	for i := range calls {
		calls[i].Call, calls[i].Return = int64(2*i), int64(2*i+1)
	}
	return calls
}

func op(input, output any) porcupine.Operation {
	return porcupine.Operation{Input: input, Output: output}
}

// TestModelsFindFaults shows the checkers what must not happen.
func TestModelsFindFaults(t *testing.T) {
	join := func(device int, number int64) porcupine.Operation {
		return op(MemberCall{Device: device, What: "join"}, MemberAnswer{Membership: number})
	}
	unlink := op(MemberCall{Device: 0, Token: 10, What: "unlink", Target: 1}, MemberAnswer{Removed: true})
	refresh := func(device int, token int64, refused bool) porcupine.Operation {
		return op(MemberCall{Device: device, Token: token, What: "refresh"}, MemberAnswer{Refused: refused})
	}
	list := func(shown ...bool) porcupine.Operation {
		r := MemberAnswer{}
		copy(r.Members[:], shown)
		return op(MemberCall{Device: 0, Token: 10, What: "list"}, r)
	}
	lost := op(MemberCall{Device: 1, What: "join"}, MemberAnswer{Unknown: true})
	redeem := func(device string, a Admission) porcupine.Operation {
		return op(redemption{"code", device}, a)
	}
	tests := []struct {
		name    string
		model   porcupine.Model
		history []porcupine.Operation
		want    bool
	}{
		{"a life", memberModel, after(join(0, 10), join(1, 11), list(true, true), unlink, refresh(1, 11, true), list(true)), true},
		{"a member twice", memberModel, after(join(0, 10), join(0, 10)), true},
		{"listed after unlink", memberModel, after(join(0, 10), join(1, 11), unlink, list(true, true)), false},
		{"refreshed after unlink", memberModel, after(join(0, 10), join(1, 11), unlink, refresh(1, 11, false)), false},
		{"refused without unlink", memberModel, after(join(0, 10), refresh(0, 10, true)), false},
		{"an old token after coming back", memberModel, after(join(0, 10), join(1, 11), unlink, join(1, 12), refresh(1, 11, false)), false},
		{"a number that comes back", memberModel, after(join(0, 10), join(1, 11), unlink, join(1, 11)), false},
		{"a new number for a member", memberModel, after(join(0, 10), join(0, 11)), false},
		{"lost answer, joined", memberModel, after(join(0, 10), lost, list(true, true), join(1, 11), refresh(1, 11, false)), true},
		{"one device redeems", codeModel, after(redeem("a", Admitted), redeem("b", Refused), redeem("a", Admitted)), true},
		{"two devices redeem", codeModel, after(redeem("a", Admitted), redeem("b", Admitted)), false},
		{"lost answer, redeemed", codeModel, after(redeem("a", Unanswered), redeem("b", Refused), redeem("a", Admitted)), true},
		{"lost answers, then two", codeModel, after(redeem("a", Unanswered), redeem("a", Admitted), redeem("b", Admitted)), false},
		{"refused although unused", codeModel, after(redeem("a", Refused), redeem("b", Admitted)), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := porcupine.CheckOperations(tt.model, tt.history); got != tt.want {
				t.Fatalf("linearizable: got %v, want %v", got, tt.want)
			}
		})
	}
}
