package profile_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ssod/actors"
	"ssod/actors/linkdirectory"
	"ssod/actors/profile"
	"ssod/cluster"
	"ssod/cluster/faulty"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// realm is one realm on a real runtime, over a store that injects faults. Its
// methods are what the front end does for one HTTP request.
type realm struct {
	runtime  *actors.Runtime
	profiles profile.Client
	codes    *linkdirectory.Client
	wanted   linkdirectory.Wanted
	budget   int

	offset  atomic.Int64 // ns by which the cluster's clock is ahead
	serial  atomic.Uint64
	retries int
}

const (
	tokenLife = 8 * 24 * time.Hour
	codeLife  = 15 * time.Minute
)

// home is the network of the devices that make codes, away is another one.
var home, away = netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("203.0.113.9")

var viewer = profile.ID{Realm: "acme", Namespace: profile.NamespaceSSO, Subject: "viewer-4711"}

type realmKeys struct{}

func (realmKeys) LinkCodeKey(realm string) []byte { return []byte("link code key of " + realm) }

// open starts a realm; the returned function stops it.
func open(t interface{ Fatal(...any) }, o faulty.Options, limits actors.Limits) (*realm, func()) {
	r := &realm{
		wanted: linkdirectory.Wanted{Length: 6, Alphabet: linkdirectory.Digits, TTL: codeLife, MaxLive: 10_000, WrongHits: 1000, Address: home},
		budget: 1 << 20, retries: 200,
	}
	o.Clock = func() time.Time { return time.Now().Add(time.Duration(r.offset.Load())) }
	var err error
	r.runtime, err = actors.Start(actors.Config{
		Shards: faulty.New(o).Node("a:1"), Self: "a:1", Limits: limits,
		Kinds: []actors.Kind{
			profile.Kind(profile.Config{
				Retention: func() time.Duration { return 400 * 24 * time.Hour },
				TokenLife: func(string) time.Duration { return tokenLife },
			}),
			linkdirectory.Kind(linkdirectory.Config{Keys: realmKeys{}}),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.profiles = profile.Client{Asker: r.runtime}
	r.codes = linkdirectory.NewClient(r.runtime, realmKeys{})
	return r, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := r.runtime.Stop(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

func (r *realm) wait(d time.Duration) { r.offset.Add(int64(d)) }

func (r *realm) request() (id cluster.RequestID) {
	binary.BigEndian.PutUint64(id[8:], r.serial.Add(1))
	return id
}

// sure repeats an ask with the same request id until its outcome is known, as a
// client does that got 503.
func sure[R any](r *realm, ask func(ctx context.Context) (R, error)) (R, error) {
	for i := 0; ; i++ {
		answer, err := ask(context.Background())
		again := errors.Is(err, actors.ErrUnavailable) || errors.Is(err, actors.ErrUnknown) || errors.Is(err, actors.ErrOverloaded)
		if !again || i == r.retries {
			return answer, err
		}
	}
}

func token(device string, membership int64) *profile.Caller {
	did := profile.Did([]byte(device))
	return &profile.Caller{Did: did[:], Membership: membership, Device: []byte(device), Bind: true}
}

func (r *realm) mint(device string, request cluster.RequestID) (int64, error) {
	return sure(r, func(ctx context.Context) (int64, error) {
		return r.profiles.Mint(ctx, request, viewer, &profile.Mint{Device: profile.NewDevice([]byte(device), nil), MaxDevices: 50})
	})
}

func (r *realm) refresh(c *profile.Caller) error {
	request := r.request()
	_, err := sure(r, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, r.profiles.Refresh(ctx, request, viewer, c)
	})
	return err
}

// link is POST /link.
func (r *realm) link(c *profile.Caller, request cluster.RequestID) (linkdirectory.Reservation, error) {
	var none linkdirectory.Reservation
	_, err := sure(r, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, r.profiles.MayLink(ctx, request, viewer, &profile.MayLink{Caller: c, TtlMs: codeLife.Milliseconds(), MaxIssued: 1000, MaxDevices: 50})
	})
	if err != nil {
		return none, err
	}
	code, err := sure(r, func(ctx context.Context) (linkdirectory.Reservation, error) {
		return r.codes.Reserve(ctx, request, viewer.Realm, viewer.Namespace, viewer.Subject, r.wanted)
	})
	if err != nil {
		return none, err
	}
	freed, err := sure(r, func(ctx context.Context) ([][]byte, error) {
		return r.profiles.AddCode(ctx, request, viewer, &profile.AddCode{
			Caller: c, CodeHash: code.Hash, NotBeforeMs: code.NotBefore.UnixMilli(), NotAfterMs: code.NotAfter.UnixMilli(),
			MaxPerProfile: 5, MaxIssued: 1000, MaxDevices: 50,
		})
	})
	if err != nil {
		r.codes.Retire(request, viewer.Realm, code.Hash)
		return none, err
	}
	r.codes.Retire(request, viewer.Realm, freed...)
	return code, nil
}

// guess is who types a code.
func (r *realm) guess(code, device string) linkdirectory.Guess {
	return linkdirectory.Guess{
		Typed: code, Device: []byte(device), Address: home,
		PerDevice: r.budget, PerAddress: r.budget, WrongHits: 1000,
	}
}

// redeem is POST /serviceToken with X-SSO-LINK, where all networks are allowed.
func (r *realm) redeem(code, device string, request cluster.RequestID) (int64, error) {
	return r.redeemUnder(profile.OtherNetwork_ALLOW, r.guess(code, device), request)
}

// arrive is redeem from another network, where that is to be confirmed.
func (r *realm) arrive(code, device string, request cluster.RequestID) (int64, error) {
	g := r.guess(code, device)
	g.Address = away
	return r.redeemUnder(profile.OtherNetwork_CONFIRM, g, request)
}

func (r *realm) redeemUnder(policy profile.OtherNetwork, g linkdirectory.Guess, request cluster.RequestID) (int64, error) {
	to, err := sure(r, func(ctx context.Context) (linkdirectory.Target, error) {
		return r.codes.Resolve(ctx, request, viewer.Realm, g)
	})
	if err != nil {
		return 0, err
	}
	id := profile.ID{Realm: viewer.Realm, Namespace: to.Namespace, Subject: to.Subject}
	joined, err := sure(r, func(ctx context.Context) (profile.Joined, error) {
		return r.profiles.Redeem(ctx, request, id, &profile.Redeem{
			Device: profile.NewDevice(g.Device, nil), CodeHash: to.Hash, MaxDevices: 50,
			OtherNetwork: to.OtherNetwork, Policy: policy, Guess: to.Guesser,
		})
	})
	r.codes.Settle(request, viewer.Realm, to.Hash, verdict(err))
	return joined.Membership, err
}

// read is GET /link/{code}.
func (r *realm) read(c *profile.Caller, hash []byte) (*profile.CodeReply, error) {
	request := r.request()
	return sure(r, func(ctx context.Context) (*profile.CodeReply, error) {
		return r.profiles.ReadCode(ctx, request, viewer, &profile.ReadCode{Caller: c, CodeHash: hash})
	})
}

// confirm is POST /link/{code}.
func (r *realm) confirm(c *profile.Caller, hash []byte, join bool, request cluster.RequestID) (*profile.CodeReply, error) {
	reply, err := sure(r, func(ctx context.Context) (*profile.CodeReply, error) {
		return r.profiles.Confirm(ctx, request, viewer, &profile.Confirm{Caller: c, CodeHash: hash, Join: join})
	})
	r.codes.Retire(request, viewer.Realm, reply.GetFreed()...)
	if len(reply.GetGuess()) > 0 {
		r.codes.Charge(request, viewer.Realm, reply.Guess)
	}
	return reply, err
}

func verdict(err error) linkdirectory.Verdict {
	switch {
	case err == nil:
		return linkdirectory.Verdict_REDEEMED
	case errors.Is(err, profile.ErrCode):
		return linkdirectory.Verdict_FAILED
	default:
		return linkdirectory.Verdict_REFUNDED
	}
}

func (r *realm) unlink(c *profile.Caller, device string, request cluster.RequestID) (bool, error) {
	removed, err := sure(r, func(ctx context.Context) ([]int32, error) {
		removed, freed, err := r.profiles.Unlink(ctx, request, viewer, &profile.Unlink{
			Caller: c, Devices: []*profile.Candidates{{Id: [][]byte{[]byte(device)}}}, TombstoneMs: tokenLife.Milliseconds(),
		})
		r.codes.Retire(request, viewer.Realm, freed...)
		return removed, err
	})
	return len(removed) == 1, err
}

func TestTheStoryOfTwoDevices(t *testing.T) {
	r, stop := open(t, faulty.Options{}, actors.Limits{})
	defer stop()
	number, err := r.mint("phone", r.request())
	if err != nil {
		t.Fatal(err)
	}
	phone := token("phone", number)
	code, err := r.link(phone, r.request())
	if err != nil {
		t.Fatal(err)
	}
	spaced := code.Code[:3] + " " + code.Code[3:]
	number, err = r.redeem(spaced, "tv", r.request())
	if err != nil {
		t.Fatal(err)
	}
	tv := token("tv", number)
	members, err := r.profiles.List(t.Context(), r.request(), viewer, tv)
	if err != nil || len(members) != 2 || members[1].Type != profile.MemberType_SSO {
		t.Fatalf("list: got %v, %v", members, err)
	}
	if again, err := r.redeem(code.Code, "tv", r.request()); err != nil || again != number {
		t.Errorf("the same device repeats: got %d, %v, want %d", again, err, number)
	}
	if _, err := r.redeem(code.Code, "tablet", r.request()); !errors.Is(err, profile.ErrRaceLost) {
		t.Errorf("another device: got %v, want %v", err, profile.ErrRaceLost)
	}
	if removed, err := r.unlink(phone, "tv", r.request()); !removed || err != nil {
		t.Errorf("unlink: got %v, %v", removed, err)
	}
	if err := r.refresh(tv); !errors.Is(err, profile.ErrNotMember) {
		t.Errorf("refresh of the unlinked device: got %v, want %v", err, profile.ErrNotMember)
	}
	r.wait(2 * time.Minute)
	if _, err := r.redeem(code.Code, "tablet", r.request()); !errors.Is(err, linkdirectory.ErrCode) {
		t.Errorf("the code later: got %v, want %v", err, linkdirectory.ErrCode)
	}
}

// M1: whoever is first among many devices, and nobody else.
func TestOneOfManyRedeems(t *testing.T) {
	for name, plan := range map[string]faulty.Plan{
		"without faults": nil,
		"with faults":    faulty.Seeded(7, 20),
	} {
		t.Run(name, func(t *testing.T) {
			r, stop := open(t, faulty.Options{Commits: plan}, actors.Limits{})
			defer stop()
			number, err := r.mint("phone", r.request())
			if err != nil {
				t.Fatal(err)
			}
			for range 10 {
				code, err := r.link(token("phone", number), r.request())
				if err != nil {
					t.Fatal(err)
				}
				if winners := r.race(code.Code, 32); winners != 1 {
					t.Fatalf("%d devices redeemed one code", winners)
				}
			}
		})
	}
}

// race lets devices redeem a code at once and counts those that succeed; they
// leave again.
func (r *realm) race(code string, n int) int {
	var winners atomic.Int32
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			device := fmt.Sprint("device ", i)
			number, err := r.redeem(code, device, r.request())
			if err == nil {
				winners.Add(1)
				_, _ = r.unlink(token(device, number), device, r.request())
			}
		})
	}
	all.Wait()
	return int(winners.Load())
}
