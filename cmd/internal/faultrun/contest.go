package faultrun

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"ssod/cmd/internal/history"
	"ssod/httpfront/client"
)

// Contest is what several devices do to the same profiles at the same time, each
// call at any node, written down for package history: they race for a code, join,
// refresh, list and unlink each other.
type Contest struct {
	load     *Load
	start    time.Time
	codes    *history.Codes
	stubborn atomic.Pointer[Node]
	mu       sync.Mutex
	profiles int
	calls    []porcupine.Operation
}

const (
	// contests is how many profiles are contested at a time.
	contests = 4
	// contestCalls is how many calls each device makes at one profile; more
	// take longer to judge than they add.
	contestCalls = 40
	// contestPause is between two calls of a device, so that a profile's calls
	// last longer than a fault does to begin.
	contestPause = 25 * time.Millisecond
	// contestJudged bounds the search for an order.
	contestJudged = time.Minute
)

func newContest(l *Load) *Contest {
	return &Contest{load: l, start: time.Now(), codes: history.NewCodes()}
}

// run contests one profile after another until ctx ends.
func (c *Contest) run(ctx context.Context, seed uint64) {
	random := rand.New(rand.NewPCG(c.load.seed, seed))
	for ctx.Err() == nil {
		c.mu.Lock()
		c.profiles++
		number := c.profiles
		c.mu.Unlock()
		c.raceFor(number)
		ending, end := context.WithCancel(ctx)
		var all sync.WaitGroup
		for i := range history.Devices {
			d := &contender{Contest: c, viewer: number, index: i, random: rand.New(rand.NewPCG(random.Uint64(), 0))}
			d.device = newDevice(d.name(i))
			all.Go(func() {
				if !d.contend(ending) {
					end() // what happens to the profile from now on is not certain
				}
			})
		}
		all.Wait()
		end()
		<-time.After(contestPause) // there may be no node at all
	}
}

// door is the app, at any node that clients use or at the one that devices of
// contests go on to use.
func (c *Contest) door(random *rand.Rand) *app {
	if n := c.stubborn.Load(); n != nil && random.IntN(3) == 0 {
		return c.load.apps[0].at(n)
	}
	return c.load.apps[0]
}

// raceFor lets devices redeem a code of a profile at once.
func (c *Contest) raceFor(number int) {
	a := c.load.apps[0]
	viewer := fmt.Sprintf("%s-race-%d", c.load.name, number)
	host := newDevice(viewer + "/host")
	if a.mint(host, viewer) != nil {
		return
	}
	code, err := a.link(host)
	if err != nil {
		return
	}
	var all sync.WaitGroup
	for i := range history.Devices {
		name := fmt.Sprintf("%s/rival %d", viewer, i)
		all.Go(func() {
			for range 2 { // who got no answer asks again
				done := c.codes.Began(i, code, name)
				err := a.redeem(newDevice(name), code)
				done(admission(err))
				if !errors.Is(err, errUnknown) {
					return
				}
			}
		})
	}
	all.Wait()
}

func admission(err error) history.Admission {
	switch {
	case err == nil:
		return history.Admitted
	case errors.Is(err, errRefused):
		return history.Refused
	}
	return history.Unanswered
}

// Report judges what was written down.
func (c *Contest) Report(t testing.TB) {
	t.Helper()
	members := history.CheckMembers(c.calls, contestJudged)
	redemptions, codes := c.codes.Check(contestJudged)
	t.Logf("histories: profiles=%d calls=%d linearizable=%v redemptions=%d linearizable=%v", c.profiles, len(c.calls), members, redemptions, codes)
	if members != porcupine.Ok || codes != porcupine.Ok {
		t.Error("there is no order in which the answers were right")
	}
}

// contender is a device of a contested profile and what it remembers.
type contender struct {
	*Contest
	viewer, index int
	device        *device
	random        *rand.Rand
}

// name is that of a device of the profile.
func (d *contender) name(index int) string { return fmt.Sprintf("%s/device %d", d.profile(), index) }

func (d *contender) profile() string { return fmt.Sprintf("%s-contest-%d", d.load.name, d.viewer) }

// contend makes calls; false when one had no answer.
func (d *contender) contend(ctx context.Context) bool {
	for range contestCalls {
		call := d.choose()
		began := time.Since(d.start)
		answer := d.perform(call)
		ended := time.Since(d.start)
		d.mu.Lock()
		d.calls = append(d.calls, call.Operation(began, answer, ended))
		d.mu.Unlock()
		if answer.Unknown {
			return false
		}
		select {
		case <-ctx.Done():
			return true
		case <-time.After(time.Duration(d.random.Int64N(int64(2 * contestPause)))):
		}
	}
	return true
}

// choose decides on the next call; without a token the device must join.
func (d *contender) choose() history.MemberCall {
	call := history.MemberCall{Viewer: d.viewer, Device: d.index, What: "join", Token: d.device.membership}
	if d.device.token != "" {
		call.What = []string{"join", "refresh", "refresh", "list", "list", "unlink"}[d.random.IntN(6)]
		call.Target = d.random.IntN(history.Devices)
	}
	return call
}

func (d *contender) perform(call history.MemberCall) (answer history.MemberAnswer) {
	var err error
	a := d.door(d.random)
	switch call.What {
	case "join":
		err = a.mint(d.device, d.profile())
		answer.Membership = d.device.membership
	case "refresh":
		err = a.refresh(d.device)
	case "list":
		var devices map[string]client.Member
		devices, err = a.list(d.device)
		for i := range answer.Members {
			_, answer.Members[i] = devices[newDevice(d.name(i)).id]
		}
	case "unlink":
		var removed int
		removed, err = a.unlink(d.device, newDevice(d.name(call.Target)).id)
		answer.Removed = removed == 1
	}
	switch {
	case errors.Is(err, errRefused):
		d.device.token, d.device.membership = "", 0
		return history.MemberAnswer{Refused: true}
	case err != nil:
		return history.MemberAnswer{Unknown: true}
	}
	return answer
}
