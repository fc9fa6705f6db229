package login_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ssod/actors"
	"ssod/actors/device"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/actors/profile"
	"ssod/actors/session"
	"ssod/actors/upstream"
	"ssod/cluster"
	"ssod/cluster/faulty"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fataler is a test or a property.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// world is a node that can be killed and started again over what it has stored.
type world struct {
	fataler
	shards  *faulty.Node
	limits  actors.Limits
	runtime *actors.Runtime
	courier *intent.Courier
	offset  atomic.Int64 // ns by which the cluster's clock is ahead
	serial  atomic.Uint64
}

func newWorld(t fataler, o faulty.Options) *world {
	w := &world{fataler: t}
	o.Clock = w.now
	w.limits = actors.Limits{Tick: 2 * time.Millisecond, SweepRate: 1_000_000, SweepRound: 50 * time.Millisecond}
	w.shards = faulty.New(o).Node("a:1")
	w.start()
	return w
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.offset.Load())) }

// pass lets time pass.
func (w *world) pass(d time.Duration) { w.offset.Add(int64(d)) }

func (w *world) start() {
	w.Helper()
	w.courier = intent.NewCourier()
	var err error
	w.runtime, err = actors.Start(actors.Config{
		Shards: w.shards, Slots: faulty.Slots(w.shards), Self: "a:1", Limits: w.limits,
		Kinds: []actors.Kind{
			profile.Kind(profile.Config{
				Retention: func() time.Duration { return 400 * 24 * time.Hour },
				TokenLife: func(string) time.Duration { return 8 * 24 * time.Hour },
				Courier:   w.courier,
			}),
			device.Kind(w.courier), session.Kind(w.courier), upstream.Kind(w.courier),
		},
	})
	if err != nil {
		w.Fatal(err)
	}
	w.courier.Start(w.runtime)
}

func (w *world) stop() {
	w.Helper()
	w.courier.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := w.runtime.Stop(ctx); err != nil {
		w.Fatal(err)
	}
}

func (w *world) request() (id cluster.RequestID) {
	binary.BigEndian.PutUint64(id[8:], w.serial.Add(1))
	return id
}

// sure repeats an ask with the same request id until its outcome is known, as
// a client does that got 503.
func sure[R any](w *world, ask func(ctx context.Context) (R, error)) R {
	w.Helper()
	for range 500 {
		answer, err := ask(context.Background())
		again := errors.Is(err, actors.ErrUnavailable) || errors.Is(err, actors.ErrUnknown) || errors.Is(err, actors.ErrOverloaded)
		if !again {
			if err != nil {
				w.Fatal(err)
			}
			return answer
		}
	}
	w.Fatal("500 answers of unknown outcome")
	panic("unreachable")
}

// done is an ask without an answer.
func done(w *world, ask func(ctx context.Context) error) {
	w.Helper()
	sure(w, func(ctx context.Context) (struct{}, error) { return struct{}{}, ask(ctx) })
}

// The two identities under which devices log in.
var (
	viewer   = profile.ID{Realm: "acme", Namespace: "sso", Subject: "viewer"}
	platform = profile.ID{Realm: "acme", Namespace: "platform:roku", Subject: "account"}
)

func deviceID(name string) device.ID {
	return device.ID{ServiceProvider: "tv", Client: "app", Device: []byte(name)}
}

// member makes the device a member of the viewer's profile.
func (w *world) member(name string) *profile.Caller {
	w.Helper()
	request := w.request()
	number := sure(w, func(ctx context.Context) (int64, error) {
		return profile.Client{Asker: w.runtime}.Mint(ctx, request, viewer, &profile.Mint{Device: profile.NewDevice([]byte(name), nil), MaxDevices: 50})
	})
	did := profile.Did([]byte(name))
	return &profile.Caller{Did: did[:], Membership: number, Device: []byte(name), Bind: true}
}

// under is the sharing of a login with a profile.
func under(id profile.ID, c *profile.Caller) *login.Sharing {
	return &login.Sharing{Profile: intent.At(id.Address()), Did: c.GetDid(), Membership: c.GetMembership()}
}

// begin begins a session of a device with all its parameters, and opens it in a
// browser.
func (w *world) begin(name string, shared ...*login.Sharing) session.ID {
	w.Helper()
	id := session.ID{ServiceProvider: "tv", Code: fmt.Sprintf("CODE%03d", w.serial.Add(1))}
	sessions, request := session.Client{Asker: w.runtime}, w.request()
	reply := sure(w, func(ctx context.Context) (*session.CreateReply, error) {
		return sessions.Create(ctx, request, id, &session.Create{
			Parameters: &session.Parameters{Mvpd: "cable", DomainName: "tv.example", RedirectUrl: "https://tv.example/"},
			Party:      &session.Party{ServiceProvider: "tv", Device: intent.At(deviceID(name).Address()), Sharing: shared},
			TtlMs:      (30 * time.Minute).Milliseconds(),
		})
	})
	done(w, func(ctx context.Context) error {
		return device.Client{Asker: w.runtime}.Begin(ctx, request, deviceID(name), &device.Begin{Session: intent.At(id.Address()), UntilMs: reply.NotAfterMs})
	})
	request = w.request()
	sure(w, func(ctx context.Context) (*session.OpenReply, error) {
		return sessions.Open(ctx, request, id, &session.Open{Browser: session.Digest("cookie")})
	})
	return id
}

// made is the command that finishes a session with a login of that id.
func (w *world) made(id string) *session.Finish {
	return &session.Finish{
		Browser: session.Digest("cookie"),
		Login: &login.Login{
			Id: []byte(id), Mvpd: "cable", NotBeforeMs: w.now().UnixMilli(), NotAfterMs: w.now().Add(24 * time.Hour).UnixMilli(),
			Source: &login.Source{Realm: "acme", Subject: upstream.Digest(atCable), BegunMs: w.now().UnixMilli(), IssuedMs: w.now().UnixMilli()},
		},
	}
}

// atCable is what the MVPD calls the viewer of all logins.
const atCable = "viewer-1"

// cableEnds is the MVPD's word that the viewer's logins up to a time have ended.
func (w *world) cableEnds(issued time.Time) {
	w.Helper()
	request, of := w.request(), upstream.ID{Realm: "acme", MVPD: "cable", By: upstream.Subject, Digest: upstream.Digest(atCable)}
	sure(w, func(ctx context.Context) (int, error) {
		return upstream.Client{Asker: w.runtime}.End(ctx, request, of, issued, w.now())
	})
}

// login is a whole login.
func (w *world) login(name, id string, shared ...*login.Sharing) session.ID {
	w.Helper()
	s := w.begin(name, shared...)
	m, request := w.made(id), w.request()
	done(w, func(ctx context.Context) error { return session.Client{Asker: w.runtime}.Finish(ctx, request, s, m) })
	return s
}

// found is which good logins are found: "phone" is the device's own, "viewer"
// and "platform" what the profiles share.
func (w *world) found(devices ...string) map[string]string {
	w.Helper()
	found := map[string]string{}
	note := func(where string, logins []*login.Login) {
		for _, l := range logins {
			if l.Standing(w.now()) == login.Good {
				found[where] = string(l.GetId())
			}
		}
	}
	for _, name := range devices {
		note(name, sure(w, func(ctx context.Context) ([]*login.Login, error) {
			return device.Client{Asker: w.runtime}.Logins(ctx, w.request(), deviceID(name))
		}))
	}
	for where, id := range map[string]profile.ID{"viewer": viewer, "platform": platform} {
		note(where, sure(w, func(ctx context.Context) ([]*login.Login, error) {
			return profile.Client{Asker: w.runtime}.Logins(ctx, w.request(), id, &profile.Caller{})
		}))
	}
	return found
}

// comesTrue waits until exactly these logins are found.
func (w *world) comesTrue(want map[string]string, devices ...string) {
	w.Helper()
	var got map[string]string
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); {
		if got = w.found(devices...); maps.Equal(got, want) {
			return
		}
	}
	w.Fatalf("found: got %v, want %v", got, want)
}

// settled waits until no entity has an intent open.
func (w *world) settled(ids ...actors.Address) {
	w.Helper()
	open := func() bool {
		return slices.ContainsFunc(ids, func(a actors.Address) bool { return w.open(a) > 0 })
	}
	for deadline := time.Now().Add(2 * time.Minute); open(); {
		if time.Now().After(deadline) {
			w.Fatal("intents stay open")
		}
	}
}

// open counts the intents of an entity that are stored.
func (w *world) open(a actors.Address) int {
	w.Helper()
	shard, ok := w.shards.Lead(a.Shard(w.shards.Slots()))
	if !ok {
		return 1
	}
	head, found, err := shard.Head(a.Entity())
	if err != nil || !found {
		return 0
	}
	return len(stored(w, a.Kind, head))
}
