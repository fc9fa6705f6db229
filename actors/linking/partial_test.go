package linking_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ssod/actors"
	"ssod/actors/linkdirectory"
	"ssod/actors/linking"
	"ssod/actors/profile"
	"ssod/cluster"
	"ssod/cluster/faulty"
)

const often = 2 * time.Millisecond

// trouble is a plan for the commits of one kind of entity, once it is armed.
type trouble struct {
	kind  string
	next  atomic.Int32 // commits that the fault is for, from now on
	fault faulty.Fault
}

func (p *trouble) plan(op faulty.Op) faulty.Fault {
	if op.Commit.Entity.Kind != p.kind || p.next.Add(-1) < 0 {
		return faulty.None
	}
	return p.fault
}

const forever = 1 << 30

// shards are so many that the viewer and the directory are not in the same.
const shards = 5

// openTroubled is a realm with a phone in the viewer's profile.
func openTroubled(t *testing.T, p *trouble, limits actors.Limits) (*realm, *profile.Caller) {
	t.Helper()
	limits.Tick = often
	r, stop := open(t, faulty.Options{Shards: shards, Commits: p.plan, Delay: time.Microsecond}, limits)
	t.Cleanup(stop)
	number, err := r.mint("phone", r.request())
	if err != nil {
		t.Fatal(err)
	}
	return r, token("phone", number)
}

func (r *realm) wantLive(t *testing.T, want float64) {
	t.Helper()
	eventually(t, fmt.Sprintf("%v live codes in the directory", want), func() bool {
		return r.gauge(t, "ssod_link_codes_live") == want
	})
}

func (r *realm) gauge(t *testing.T, name string) (sum float64) {
	t.Helper()
	families, err := r.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.Metric {
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(2 * time.Minute); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s: never", what)
		}
	}
}

// refunded redeems a code when the guess before it is refunded, which no answer waits
// for. Where the budget is one guess it must be; what is refused costs none.
func (r *realm) refunded(t *testing.T, text, device string, request cluster.RequestID) (number int64, err error) {
	t.Helper()
	eventually(t, "the guess before is refunded", func() bool {
		number, err = r.redeem(text, device, request)
		return !errors.As(err, new(*linkdirectory.GuessingError))
	})
	return number, err
}

// linkOnce is a single call, of which the profile allows three.
func (r *realm) linkOnce(c *profile.Caller, request cluster.RequestID) (linking.Code, error) {
	return r.links.Link(context.Background(), request, viewer, linking.Wanted{Caller: c, Code: r.wanted, MaxPerProfile: 5, MaxIssued: 3, MaxDevices: 50})
}

// TestLinkOnce: whatever happens to the one commit or the other, a call of Link gives
// one code, which can be redeemed, and nothing else is left.
func TestLinkOnce(t *testing.T) {
	for _, kind := range []string{linkdirectory.KindName, profile.KindName} {
		for _, fault := range faulty.Faults {
			t.Run(fmt.Sprint(kind, " ", fault), func(t *testing.T) {
				p := &trouble{kind: kind, fault: fault}
				r, phone := openTroubled(t, p, actors.Limits{})
				p.next.Store(1)
				request := r.request()
				code, err := r.linkOnce(phone, request)
				if err != nil {
					t.Fatal(err)
				}
				if again, err := r.linkOnce(phone, request); err != nil || again != code {
					t.Errorf("the request again: got another answer, %v", err)
				}
				r.wantLive(t, 1)
				if s, _, err := r.profiles.Show(t.Context(), r.request(), viewer); err != nil || len(s.Codes) != 1 || len(s.IssuedMs) != 1 {
					t.Errorf("the profile has %d codes, issued %d; want one (%v)", len(s.GetCodes()), len(s.GetIssuedMs()), err)
				}
				if _, err := r.redeem(code.Text, "tv", r.request()); err != nil {
					t.Errorf("redeem: %v", err)
				}
			})
		}
	}
}

// TestRedeemOnce: likewise a code is redeemed once, and no guess is charged.
func TestRedeemOnce(t *testing.T) {
	for _, kind := range []string{linkdirectory.KindName, profile.KindName} {
		for _, fault := range faulty.Faults {
			t.Run(fmt.Sprint(kind, " ", fault), func(t *testing.T) {
				p := &trouble{kind: kind, fault: fault}
				r, phone := openTroubled(t, p, actors.Limits{})
				r.budget = 1
				code, _, err := r.link(phone, r.request())
				if err != nil {
					t.Fatal(err)
				}
				p.next.Store(1)
				request := r.request()
				number, err := r.redeem(code.Text, "tv", request)
				if err != nil {
					t.Fatal(err)
				}
				if again, err := r.refunded(t, code.Text, "tv", request); err != nil || again != number {
					t.Errorf("the request again: got %d, %v, want %d", again, err, number)
				}
				if _, err := r.refunded(t, code.Text, "tablet", r.request()); !errors.Is(err, profile.ErrRaceLost) {
					t.Errorf("another device: %v, want %v", err, profile.ErrRaceLost)
				}
				if again, err := r.refunded(t, code.Text, "tv", r.request()); err != nil || again != number {
					t.Errorf("the device again, no guess having been charged: got %d, %v", again, err)
				}
				r.wantLive(t, 0)
			})
		}
	}
}

// TestLinkGivesUp: what cannot be added is not left in the directory, and what could
// not be reserved is not in the profile.
func TestLinkGivesUp(t *testing.T) {
	for _, kind := range []string{linkdirectory.KindName, profile.KindName} {
		t.Run(kind, func(t *testing.T) {
			p := &trouble{kind: kind, fault: faulty.Refuse}
			r, phone := openTroubled(t, p, actors.Limits{OwnerWait: 20 * time.Millisecond})
			p.next.Store(forever)
			if _, err := r.linkOnce(phone, r.request()); !errors.Is(err, actors.ErrUnavailable) {
				t.Fatalf("link: got %v, want %v", err, actors.ErrUnavailable)
			}
			p.next.Store(0)
			r.wantLive(t, 0)
			if s, _, err := r.profiles.Show(t.Context(), r.request(), viewer); err != nil || len(s.Codes) != 0 {
				t.Errorf("the profile has %d codes, %v", len(s.GetCodes()), err)
			}
			code, err := r.linkOnce(phone, r.request())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.redeem(code.Text, "tv", r.request()); err != nil {
				t.Errorf("redeem: %v", err)
			}
		})
	}
}

// TestNobodyLeads: no shard is waited for longer than the runtime says, and a guess is
// given back.
func TestNobodyLeads(t *testing.T) {
	p := &trouble{}
	r, phone := openTroubled(t, p, actors.Limits{OwnerWait: 20 * time.Millisecond})
	r.budget, r.retries = 1, 0
	code, _, err := r.link(phone, r.request())
	if err != nil {
		t.Fatal(err)
	}
	at := viewer.Address().Shard(cluster.DivideSlots(shards))
	if linkdirectory.Address(viewer.Realm).Shard(cluster.DivideSlots(shards)) == at {
		t.Fatal("the test needs two shards")
	}
	r.truth.Move(at, nil)
	for range 2 {
		if _, err := r.refunded(t, code.Text, "tv", r.request()); !errors.Is(err, actors.ErrUnavailable) {
			t.Errorf("redeem: got %v, want %v", err, actors.ErrUnavailable)
		}
	}
	if _, err := r.linkOnce(phone, r.request()); !errors.Is(err, actors.ErrUnavailable) {
		t.Errorf("link: got %v, want %v", err, actors.ErrUnavailable)
	}
	r.truth.Move(at, r.node)
	r.retries = 200
	if _, err := r.refunded(t, code.Text, "tv", r.request()); err != nil {
		t.Errorf("redeem when somebody leads: %v", err)
	}
}

// TestUnlinkedBetween: a device that is unlinked while its code is reserved gets none,
// whoever asks again, and the code is given up.
func TestUnlinkedBetween(t *testing.T) {
	p := &trouble{kind: linkdirectory.KindName, fault: faulty.Hold}
	r, phone := openTroubled(t, p, actors.Limits{})
	number, err := r.mint("tv", r.request())
	if err != nil {
		t.Fatal(err)
	}
	tv, request := token("tv", number), r.request()
	p.next.Store(1)
	var linked sync.WaitGroup
	linked.Go(func() {
		if _, err := r.linkOnce(tv, request); !errors.Is(err, profile.ErrNotMember) {
			t.Errorf("link: got %v, want %v", err, profile.ErrNotMember)
		}
	})
	eventually(t, "reservation", func() bool { return p.next.Load() == 0 })
	if removed, err := r.unlink(phone, "tv", r.request()); !removed || err != nil {
		t.Fatal(removed, err)
	}
	r.truth.Release()
	linked.Wait()
	r.wantLive(t, 0)
	if _, err := r.linkOnce(tv, request); !errors.Is(err, profile.ErrNotMember) {
		t.Errorf("link again: got %v, want %v", err, profile.ErrNotMember)
	}
}

// TestTheLastCodeIsNotOneTooMany for the request that has got it.
func TestTheLastCodeIsNotOneTooMany(t *testing.T) {
	r, phone := openTroubled(t, &trouble{}, actors.Limits{})
	var code linking.Code
	var request cluster.RequestID
	for range 3 {
		var err error
		request = r.request()
		if code, err = r.linkOnce(phone, request); err != nil {
			t.Fatal(err)
		}
	}
	if again, err := r.linkOnce(phone, request); err != nil || again != code {
		t.Errorf("the last request again: got another answer, %v", err)
	}
	if tooMany := new(profile.TooManyCodesError); !errors.As(second(r.linkOnce(phone, r.request())), &tooMany) || tooMany.RetryAfter <= 0 {
		t.Error("one request more is not refused")
	}
	r.wantLive(t, 1)
}

func second[T any](_ T, err error) error { return err }

// TestGuesses: a code that the profile does not accept any more costs a guess, and to
// lose a race does not.
func TestGuesses(t *testing.T) {
	r, phone := openTroubled(t, &trouble{}, actors.Limits{})
	r.budget = 1
	code, _, err := r.link(phone, r.request())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.redeem(code.Text, "tv", r.request()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := r.refunded(t, code.Text, "tablet", r.request()); !errors.Is(err, profile.ErrRaceLost) {
			t.Fatalf("a lost race: %v", err)
		}
	}
	if _, err := r.refunded(t, "000000", "tablet", r.request()); !errors.Is(err, linkdirectory.ErrCode) {
		t.Fatalf("a wrong code: %v", err)
	}
	if _, err := r.redeem(code.Text, "tablet", r.request()); !errors.As(err, new(*linkdirectory.GuessingError)) {
		t.Errorf("after a wrong code: %v", err)
	}
}
