package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/anishathalye/porcupine"

	"ssod/cmd/internal/history"
)

// rivals is how many devices want the same code.
const rivals = 64

// TestRace lets 64 devices redeem the same code at the same moment, code after
// code: exactly one of them gets in, and only that one may repeat its request.
func TestRace(t *testing.T) {
	t.Parallel()
	n := startNode(t, crashConfig)
	n.sampled = newSample(sampledShare)
	a := n.mustApp("one")
	codes := volume(200, 10_000)
	redemptions := history.NewCodes()
	wins := 0
	for i := range codes {
		host := newDevice(fmt.Sprintf("host %d", i))
		must(t, a.mint(t.Context(), host, fmt.Sprintf("viewer %d", i)))
		code, err := a.link(t.Context(), host)
		must(t, err)
		winners, err := redeemAtOnce(redemptions, code, i, func(_ int, name string) error { return a.admitted(t.Context(), code, name) })
		must(t, err)
		if len(winners) != 1 {
			t.Fatalf("code %d was redeemed by %d devices: %q", i, len(winners), winners)
		}
		wins += len(winners)
		if i%20 == 0 {
			onlyTheWinnerRepeats(t, a, code, winners[0])
		}
	}
	verify(t, redemptions)
	t.Logf("race: codes=%d devices=%d redeemed=%d double_redeem=0; answers checked by status: %v", codes, rivals, wins, n.sampled.chosen)
}

// redeemAtOnce lets every rival be admitted at the same moment and returns the
// names of those that got in. admit is told the number and the name of a rival.
func redeemAtOnce(redemptions *history.Codes, code string, round int, admit func(i int, name string) error) (winners []string, err error) {
	var mu sync.Mutex
	var failed atomic.Value
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range rivals {
		name := fmt.Sprintf("rival %d of %d", i, round)
		all.Go(func() {
			<-start
			done := redemptions.Began(i, code, name)
			err := admit(i, name)
			done(admission(err))
			switch {
			case err == nil:
				mu.Lock()
				winners = append(winners, name)
				mu.Unlock()
			case !errors.Is(err, errRefused):
				failed.Store(err)
			}
		})
	}
	close(start)
	all.Wait()
	err, _ = failed.Load().(error)
	return winners, err
}

// admission is what an error of a redemption says of the code.
func admission(err error) history.Admission {
	switch {
	case err == nil:
		return history.Admitted
	case errors.Is(err, errRefused):
		return history.Refused
	}
	return history.Unanswered
}

// verify fails the test unless the redemptions can be explained.
func verify(t *testing.T, redemptions *history.Codes) {
	t.Helper()
	if calls, got := redemptions.Check(historyCheck); got != porcupine.Ok {
		t.Errorf("%d redemptions: linearizable: %v", calls, got)
	}
}

// errRefused says that a code did not admit a device.
var errRefused = errors.New("the code is not redeemable")

// admitted redeems a code: nil when the device got in, errRefused when the code
// was refused in the way that unusable codes are.
func (a *app) admitted(ctx context.Context, code, name string) error {
	answer, err := a.send(ctx, "POST", "serviceToken", newDevice(name), nil, "X-SSO-LINK", code)
	if err != nil {
		return err
	}
	switch answer.Status {
	case http.StatusCreated:
		return nil
	case http.StatusBadRequest:
		return errRefused
	}
	return fmt.Errorf("%w: %d %s", errStatus, answer.Status, answer.Body)
}

// onlyTheWinnerRepeats covers the lost answer: within 60 s the device that
// redeemed the code gets in again, nobody else does.
func onlyTheWinnerRepeats(t *testing.T, a *app, code, winner string) {
	t.Helper()
	if err := a.admitted(t.Context(), code, winner); err != nil {
		t.Fatalf("the winner repeats its request: %v", err)
	}
	if err := a.admitted(t.Context(), code, "latecomer to "+winner); !errors.Is(err, errRefused) {
		t.Fatalf("another device redeems the used code: got %v, want %v", err, errRefused)
	}
}
