package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"ssod/cmd/internal/history"
	"ssod/httpfront/client"
)

// Shape of the histories: every device of every viewer is a client that joins,
// refreshes, lists and unlinks at random, through several crashes.
const (
	historyViewers = 4
	historyDevices = history.Devices
	historyRounds  = 3
	historyRound   = 250 * time.Millisecond
	historyCheck   = time.Minute // for the search for an order
)

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
	t.Parallel()
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
		a.Start()
	}
	var calls []porcupine.Operation
	for _, p := range all {
		calls = append(calls, p.ops...)
	}
	if got := history.CheckMembers(calls, historyCheck); got != porcupine.Ok {
		t.Errorf("%d calls: linearizable: %v", len(calls), got)
	}
	t.Logf("histories: calls=%d linearizable", len(calls))
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
	must(n, n.Process.Kill())
	acting.Wait()
	n.Kill()
}

// act makes calls until one has no answer.
func (p *participant) act(ctx context.Context) error {
	for {
		op := p.choose()
		call := time.Since(p.start)
		answer, err := p.perform(ctx, op)
		if errors.Is(err, errStatus) {
			return fmt.Errorf("%+v: %w", op, err)
		}
		if err != nil {
			answer = history.MemberAnswer{Unknown: true}
		}
		p.ops = append(p.ops, op.Operation(call, answer, time.Since(p.start)))
		if err != nil {
			return nil
		}
	}
}

// choose decides on the next call; without a token the device must join.
func (p *participant) choose() history.MemberCall {
	op := history.MemberCall{Viewer: p.viewer, Device: p.index, What: "join", Token: p.membership}
	if p.membership != 0 {
		op.What = []string{"join", "refresh", "refresh", "list", "list", "unlink"}[p.random.IntN(6)]
		op.Target = p.random.IntN(historyDevices)
	}
	return op
}

func (p *participant) perform(ctx context.Context, op history.MemberCall) (r history.MemberAnswer, err error) {
	switch op.What {
	case "join":
		r.Membership, err = p.join(ctx)
	case "refresh":
		err = p.refresh(ctx, p.device)
	case "list":
		var devices map[string]client.Member
		devices, err = p.list(ctx, p.device)
		for i := range historyDevices {
			_, r.Members[i] = devices[newDevice(deviceName(p.viewer, i)).id]
		}
	case "unlink":
		var gone []string
		gone, err = p.unlink(ctx, p.device, newDevice(deviceName(p.viewer, op.Target)).id)
		r.Removed = len(gone) == 1
	}
	if refused(err) {
		p.membership = 0
		return history.MemberAnswer{Refused: true}, nil
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
	status, code := refusal(err)
	return status == http.StatusBadRequest && code == client.CodeTokenInvalid
}
