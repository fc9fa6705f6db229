package history

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// Codes records who redeemed which code when. It is safe for concurrent use.
type Codes struct {
	mu    sync.Mutex
	start time.Time
	ops   []porcupine.Operation
}

// NewCodes returns an empty record.
func NewCodes() *Codes { return &Codes{start: time.Now()} }

// redemption is the input of one call; its output is its Admission.
type redemption struct{ code, device string }

// Admission is how a redemption was answered.
type Admission int

// The answers.
const (
	Refused Admission = iota
	Admitted
	Unanswered
)

// Began enters a call; the function it returns enters the answer.
func (c *Codes) Began(client int, code, device string) func(Admission) {
	from := time.Since(c.start)
	return func(a Admission) {
		to := int64(time.Since(c.start))
		if a == Unanswered {
			to = math.MaxInt64
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.ops = append(c.ops, porcupine.Operation{
			ClientId: client, Input: redemption{code, device}, Call: int64(from), Output: a, Return: to,
		})
	}
}

// Check returns the number of calls, and whether their answers can be explained
// within the time.
func (c *Codes) Check(within time.Duration) (calls int, result porcupine.CheckResult) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.ops), porcupine.CheckOperationsTimeout(codeModel, c.ops, within)
}

// codeModel is a code as a register: "" while it is live, then the device that
// redeemed it, which may repeat.
var codeModel = porcupine.Model{
	Partition: byCode,
	Init:      func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		owner, device, a := state.(string), input.(redemption).device, output.(Admission)
		if owner == "" || owner == device {
			return a != Refused, device
		}
		return a != Admitted, owner
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
