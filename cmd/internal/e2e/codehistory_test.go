package e2e

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// codeHistory records who redeemed which code when, for a check that the answers
// are those of some order in which each call took effect at one instant.
type codeHistory struct {
	mu    sync.Mutex
	start time.Time
	ops   []porcupine.Operation
}

func newCodeHistory() *codeHistory { return &codeHistory{start: time.Now()} }

// redemption is the input of one call; its output is whether the device got in.
type redemption struct{ code, device string }

// began enters a call; the function it returns enters the answer.
func (h *codeHistory) began(client int, code, device string) func(admitted bool) {
	from := time.Since(h.start)
	return func(admitted bool) {
		to := time.Since(h.start)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.ops = append(h.ops, porcupine.Operation{
			ClientId: client, Input: redemption{code, device}, Call: int64(from), Output: admitted, Return: int64(to),
		})
	}
}

// codeModel is a code as a register: "" while it is live, then the device that
// redeemed it, which may repeat.
var codeModel = porcupine.Model{
	Partition: byCode,
	Init:      func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		owner, device, admitted := state.(string), input.(redemption).device, output.(bool)
		if owner == "" || owner == device {
			return admitted, device
		}
		return !admitted, owner
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%s -> %v", input.(redemption).device, output) },
}

func byCode(history []porcupine.Operation) [][]porcupine.Operation {
	parts := map[string][]porcupine.Operation{}
	for _, op := range history {
		code := op.Input.(redemption).code
		parts[code] = append(parts[code], op)
	}
	out := make([][]porcupine.Operation, 0, len(parts))
	for _, part := range parts {
		out = append(out, part)
	}
	return out
}

func (h *codeHistory) verify(t *testing.T) {
	t.Helper()
	if !porcupine.CheckOperations(codeModel, h.ops) {
		t.Errorf("%d redemptions are not linearizable", len(h.ops))
	}
}
