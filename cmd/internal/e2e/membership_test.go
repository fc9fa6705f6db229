package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// Shape of the histories: every device of every viewer is a client that joins,
// refreshes, lists and unlinks at random, through several crashes.
const (
	historyViewers = 4
	historyDevices = 3
	historyRounds  = 3
	historyRound   = 250 * time.Millisecond
)

// memberOp is the input of one call of a device. token is the membership number
// in the service token that it sent.
type memberOp struct {
	viewer, device int
	what           string // join, refresh, list, unlink
	token          int64
	target         int // of unlink
}

// memberResult is the answer. unknown: the connection broke, so the call may or
// may not have happened.
type memberResult struct {
	unknown, refused bool
	membership       int64                // join
	members          [historyDevices]bool // list
	removed          bool                 // unlink
}

// members is the state of a profile: the membership number of each device, 0
// for none, and the largest number ever given. unknownNumber is a membership
// whose number nobody was told.
type members struct {
	number [historyDevices]int64
	last   int64
}

const unknownNumber = -1

// memberModel says how one profile behaves when calls come one by one.
var memberModel = porcupine.Model{
	Partition: byViewer,
	Init:      func() any { return members{} },
	Step: func(state, input, output any) (bool, any) {
		s, op, result := state.(members), input.(memberOp), output.(memberResult)
		if op.what == "join" {
			return s.join(op.device, result)
		}
		if accepted := s.number[op.device] == op.token; !result.unknown && accepted == result.refused {
			return false, s
		} else if !accepted {
			return true, s
		}
		switch op.what {
		case "list":
			return result.unknown || result.members == s.present(), s
		case "unlink":
			was := s.number[op.target] != 0
			s.number[op.target] = 0
			return result.unknown || result.removed == was, s
		}
		return true, s // refresh
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
}

// join makes the device a member with a number that was never given before, or
// meets the membership that it has.
func (s members) join(device int, result memberResult) (bool, any) {
	known := s.number[device]
	if result.unknown {
		if known == 0 {
			s.number[device] = unknownNumber
		}
		return true, s
	}
	if known > 0 {
		return result.membership == known, s
	}
	if known == 0 && result.membership <= s.last {
		return false, s // a number that was given before
	}
	s.number[device], s.last = result.membership, max(s.last, result.membership)
	return true, s
}

func (s members) present() (set [historyDevices]bool) {
	for i, number := range s.number {
		set[i] = number != 0
	}
	return set
}

func byViewer(history []porcupine.Operation) [][]porcupine.Operation {
	parts := make([][]porcupine.Operation, historyViewers)
	for _, op := range history {
		v := op.Input.(memberOp).viewer
		parts[v] = append(parts[v], op)
	}
	return parts
}

// participant is a device of a viewer and what it remembers.
type participant struct {
	*app
	viewer, index int
	device        *device
	membership    int64
	random        *rand.Rand
	start         time.Time
	ops           []porcupine.Operation
}

// TestMembershipHistories lets devices of the same profiles join, refresh, list
// and unlink each other at the same time, through several kill -9. The answers
// must be those of some order in which every call took effect at one instant: a
// list after an unlink never shows the device, a token works exactly as long as
// its membership, no membership number comes back.
func TestMembershipHistories(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	a := startNode(t, crashConfig).mustApp("one")
	var all []*participant
	start := time.Now()
	for i := range historyViewers * historyDevices {
		all = append(all, &participant{
			app: a, viewer: i / historyDevices, index: i % historyDevices,
			device: newDevice(deviceName(i/historyDevices, i%historyDevices)),
			random: rand.New(rand.NewPCG(seed, uint64(i))), start: start,
		})
	}
	for range volume(historyRounds, 20*historyRounds) {
		a.actUntilKilled(all)
		a.start()
	}
	var history []porcupine.Operation
	for _, p := range all {
		history = append(history, p.ops...)
	}
	if !porcupine.CheckOperations(memberModel, history) {
		t.Errorf("%d calls are not linearizable", len(history))
	}
	t.Logf("histories: calls=%d linearizable", len(history))
}

func deviceName(viewer, index int) string { return fmt.Sprintf("device %d of %d", index, viewer) }

func (n *node) actUntilKilled(all []*participant) {
	n.Helper()
	ctx, stop := context.WithCancel(n.Context())
	defer stop()
	var acting sync.WaitGroup
	for _, p := range all {
		acting.Go(func() {
			if err := p.act(ctx); err != nil {
				n.Error(err)
			}
		})
	}
	<-time.After(historyRound) // the moment of the crash is the input of this test
	must(n, n.process.Kill())
	acting.Wait()
	n.kill()
}

// act makes calls until one has no answer.
func (p *participant) act(ctx context.Context) error {
	for {
		op := p.choose()
		call := time.Since(p.start)
		result, err := p.perform(ctx, op)
		if errors.Is(err, errStatus) {
			return fmt.Errorf("%+v: %w", op, err)
		}
		to := int64(time.Since(p.start))
		if err != nil {
			result, to = memberResult{unknown: true}, math.MaxInt64 // perhaps later, perhaps never
		}
		p.ops = append(p.ops, porcupine.Operation{
			ClientId: p.viewer*historyDevices + p.index, Input: op, Call: int64(call), Output: result, Return: to,
		})
		if err != nil {
			return nil
		}
	}
}

// choose decides on the next call; without a token the device must join.
func (p *participant) choose() memberOp {
	op := memberOp{viewer: p.viewer, device: p.index, what: "join", token: p.membership}
	if p.membership != 0 {
		op.what = []string{"join", "refresh", "refresh", "list", "list", "unlink"}[p.random.IntN(6)]
		op.target = p.random.IntN(historyDevices)
	}
	return op
}

func (p *participant) perform(ctx context.Context, op memberOp) (r memberResult, err error) {
	switch op.what {
	case "join":
		r.membership, err = p.join(ctx)
	case "refresh":
		err = p.refresh(ctx, p.device)
	case "list":
		var devices map[string]json.RawMessage
		devices, err = p.list(ctx, p.device)
		for i := range historyDevices {
			_, r.members[i] = devices[newDevice(deviceName(p.viewer, i)).id]
		}
	case "unlink":
		var gone []string
		gone, err = p.unlink(ctx, p.device, newDevice(deviceName(p.viewer, op.target)).id)
		r.removed = len(gone) == 1
	}
	if refused(err) {
		p.membership = 0
		return memberResult{refused: true}, nil
	}
	return r, err
}

func (p *participant) join(ctx context.Context) (int64, error) {
	if err := p.mint(ctx, p.device, fmt.Sprintf("viewer %d", p.viewer)); err != nil {
		p.membership = 0 // the number is not known
		return 0, err
	}
	var claims struct {
		Membership int64 `json:"mbr"`
	}
	err := readClaims(p.device.token, &claims)
	p.membership = claims.Membership
	return claims.Membership, err
}

// refused says that the service does not accept a token because of its
// membership.
func refused(err error) bool {
	var status *statusError
	return errors.As(err, &status) && status.got.Status == http.StatusBadRequest && status.code() == "token_invalid"
}
