package linking_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"ssod/actors"
	"ssod/actors/linkdirectory"
	"ssod/actors/linking"
	"ssod/actors/profile"
	"ssod/cluster"
	"ssod/cluster/faulty"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// realm is one realm on a real runtime, over a store that injects faults. Its
// methods are what the front end does for one HTTP request.
type realm struct {
	runtime  *actors.Runtime
	truth    *faulty.Truth
	node     *faulty.Node
	profiles profile.Client
	links    linking.Client
	wanted   linkdirectory.Wanted
	budget   int
	metrics  *prometheus.Registry

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
		budget: 1 << 20, retries: 200, metrics: prometheus.NewRegistry(),
	}
	o.Clock = func() time.Time { return time.Now().Add(time.Duration(r.offset.Load())) }
	r.truth = faulty.New(o)
	r.node = r.truth.Node("a:1")
	var err error
	r.runtime, err = actors.Start(actors.Config{
		Shards: r.node, Slots: faulty.Slots(r.node), Self: "a:1", Limits: limits,
		Kinds: linking.Kinds(profile.Config{
			Retention: func() time.Duration { return 400 * 24 * time.Hour },
			TokenLife: func(string) time.Duration { return tokenLife },
		}, linkdirectory.Config{Keys: realmKeys{}, Metrics: r.metrics, Log: slog.New(slog.DiscardHandler)}),
	})
	if err != nil {
		t.Fatal(err)
	}
	r.profiles = profile.Client{Asker: r.runtime}
	r.links = linking.NewClient(r.runtime, realmKeys{})
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

// link is POST /link. Which request got the code is returned too: what is unavailable
// is asked for with a new one, because the code that was reserved is given up.
func (r *realm) link(c *profile.Caller, request cluster.RequestID) (linking.Code, cluster.RequestID, error) {
	w := linking.Wanted{Caller: c, Code: r.wanted, MaxPerProfile: 5, MaxIssued: 1000, MaxDevices: 50}
	code, err := sure(r, func(ctx context.Context) (linking.Code, error) {
		code, err := r.links.Link(ctx, request, viewer, w)
		if errors.Is(err, actors.ErrUnavailable) {
			request = r.request()
		}
		return code, err
	})
	return code, request, err
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
	joined, err := sure(r, func(ctx context.Context) (linking.Joined, error) {
		return r.links.Redeem(ctx, request, viewer.Realm, g, &profile.Redeem{
			Device: profile.NewDevice(g.Device, nil), MaxDevices: 50, Policy: policy,
		})
	})
	if err == nil && joined.Profile != viewer {
		err = fmt.Errorf("joined %v", joined.Profile)
	}
	return joined.Membership, err
}

// read is GET /link/{code}.
func (r *realm) read(c *profile.Caller, code string) (*profile.CodeReply, error) {
	request := r.request()
	return sure(r, func(ctx context.Context) (*profile.CodeReply, error) {
		return r.links.ReadCode(ctx, request, viewer, c, code)
	})
}

// confirm is POST /link/{code}.
func (r *realm) confirm(c *profile.Caller, code string, join bool, request cluster.RequestID) (*profile.CodeReply, error) {
	return sure(r, func(ctx context.Context) (*profile.CodeReply, error) {
		return r.links.Confirm(ctx, request, viewer, c, code, join)
	})
}

func (r *realm) unlink(c *profile.Caller, device string, request cluster.RequestID) (bool, error) {
	removed, err := sure(r, func(ctx context.Context) ([]int32, error) {
		return r.links.Unlink(ctx, request, viewer, &profile.Unlink{
			Caller: c, Devices: []*profile.Candidates{{Id: [][]byte{[]byte(device)}}}, TombstoneMs: tokenLife.Milliseconds(),
		})
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
	code, _, err := r.link(phone, r.request())
	if err != nil {
		t.Fatal(err)
	}
	spaced := code.Text[:3] + " " + code.Text[3:]
	number, err = r.redeem(spaced, "tv", r.request())
	if err != nil {
		t.Fatal(err)
	}
	tv := token("tv", number)
	members, err := r.profiles.List(t.Context(), r.request(), viewer, tv)
	if err != nil || len(members) != 2 || members[1].Type != profile.MemberType_SSO {
		t.Fatalf("list: got %v, %v", members, err)
	}
	if again, err := r.redeem(code.Text, "tv", r.request()); err != nil || again != number {
		t.Errorf("the same device repeats: got %d, %v, want %d", again, err, number)
	}
	if _, err := r.redeem(code.Text, "tablet", r.request()); !errors.Is(err, profile.ErrRaceLost) {
		t.Errorf("another device: got %v, want %v", err, profile.ErrRaceLost)
	}
	if removed, err := r.unlink(phone, "tv", r.request()); !removed || err != nil {
		t.Errorf("unlink: got %v, %v", removed, err)
	}
	if err := r.refresh(tv); !errors.Is(err, profile.ErrNotMember) {
		t.Errorf("refresh of the unlinked device: got %v, want %v", err, profile.ErrNotMember)
	}
	r.wait(2 * time.Minute)
	if _, err := r.redeem(code.Text, "tablet", r.request()); !errors.Is(err, linkdirectory.ErrCode) {
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
				code, _, err := r.link(token("phone", number), r.request())
				if err != nil {
					t.Fatal(err)
				}
				if winners := r.race(code.Text, 32); winners != 1 {
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
