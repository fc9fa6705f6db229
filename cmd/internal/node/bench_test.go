package node

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ssod/actors/linkdirectory"
	"ssod/actors/linking"
	"ssod/actors/profile"
	"ssod/cluster"
)

// BenchmarkFlow measures what an operation costs a node behind its HTTP front
// end: messages, decisions, commits and the disk, with 64 callers. It prints
// processor time beside the rate, because a slow disk hides the rest.
func BenchmarkFlow(b *testing.B) {
	for _, c := range []struct {
		name    string
		prepare []flowStep
		measure flowStep
	}{
		{"mint", nil, (*flow).mint},
		{"refresh", []flowStep{(*flow).mint}, (*flow).refresh},
		{"link", []flowStep{(*flow).mint}, (*flow).link},
		{"redeem", []flowStep{(*flow).mint, (*flow).link}, (*flow).redeem},
		{"unlink", []flowStep{(*flow).mint, (*flow).link, (*flow).redeem}, (*flow).unlink},
	} {
		b.Run(c.name, func(b *testing.B) {
			f := newFlow(b)
			for _, step := range c.prepare {
				f.run(b, step)
			}
			b.ReportAllocs()
			cpu := processorTime()
			b.ResetTimer()
			f.run(b, c.measure)
			b.ReportMetric(float64(processorTime()-cpu)/float64(b.N), "cpu-ns/op")
		})
	}
}

const flowCallers = 64

// flow is a node and b.N viewers with a device and a guest each.
type flow struct {
	profiles profile.Client
	links    linking.Client
	requests atomic.Uint64
	viewers  []viewer
}

type viewer struct {
	id         profile.ID
	membership int64
	code       string
}

type flowStep func(*flow, context.Context, *viewer) error

func newFlow(b *testing.B) *flow {
	n, err := Start(b.Context(), Config{
		Data: filepath.Join(b.TempDir(), "data"), DefaultName: "n1",
		HTTP: "127.0.0.1:0", Admin: "127.0.0.1:0", RPC: "127.0.0.1:7947", Shards: 64,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := n.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
	f := &flow{
		profiles: profile.Client{Asker: n.runtime},
		links:    linking.NewClient(n.runtime, n.ring),
		viewers:  make([]viewer, b.N),
	}
	for i := range f.viewers {
		f.viewers[i].id = profile.ID{Realm: "demo", Namespace: "sso", Subject: fmt.Sprintf("viewer-%08d", i)}
	}
	return f
}

// run has each viewer do one step.
func (f *flow) run(b *testing.B, step flowStep) {
	ctx, cancel := context.WithTimeout(b.Context(), 10*time.Minute)
	defer cancel()
	var next atomic.Int64
	var callers sync.WaitGroup
	for range flowCallers {
		callers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(f.viewers)); i = next.Add(1) - 1 {
				if err := step(f, ctx, &f.viewers[i]); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	callers.Wait()
}

func (f *flow) request() (r cluster.RequestID) {
	binary.LittleEndian.PutUint64(r[3:], f.requests.Add(1)*0x9e3779b97f4a7c15)
	return r
}

func deviceOf(v *viewer, guest bool) *profile.Device {
	id := []byte(v.id.Subject + "-living-room")
	if guest {
		id = []byte(v.id.Subject + "-kitchen")
	}
	return profile.NewDevice(id, &profile.Attributes{DeviceType: "smartTV", Model: "TV 55", Os: "Roku OS", OsVersion: "9.10"})
}

func (v *viewer) caller() *profile.Caller {
	id := deviceOf(v, false).Id
	did := profile.Did(id)
	return &profile.Caller{Did: did[:], Membership: v.membership, Device: id}
}

func (f *flow) mint(ctx context.Context, v *viewer) (err error) {
	v.membership, err = f.profiles.Mint(ctx, f.request(), v.id, &profile.Mint{Device: deviceOf(v, false), MaxDevices: 25})
	return err
}

func (f *flow) refresh(ctx context.Context, v *viewer) error {
	return f.profiles.Refresh(ctx, f.request(), v.id, v.caller())
}

func (f *flow) link(ctx context.Context, v *viewer) error {
	code, err := f.links.Link(ctx, f.request(), v.id, linking.Wanted{
		Caller: v.caller(), MaxPerProfile: 5, MaxIssued: 10, MaxDevices: 25,
		Code: linkdirectory.Wanted{
			Length: 6, Alphabet: linkdirectory.Digits, TTL: 10 * time.Minute, MaxLive: 1 << 20, Address: netip.AddrFrom4([4]byte{127, 0, 0, 1}), WrongHits: 1000,
		},
	})
	v.code = code.Text
	return err
}

func (f *flow) redeem(ctx context.Context, v *viewer) error {
	guest := deviceOf(v, true)
	_, err := f.links.Redeem(ctx, f.request(), v.id.Realm, linkdirectory.Guess{
		Typed: v.code, Device: guest.Id, Address: netip.AddrFrom4([4]byte{127, 0, 0, 1}),
		PerDevice: 10, PerAddress: 1 << 20, WrongHits: 1000,
	}, &profile.Redeem{Device: guest, MaxDevices: 25})
	return err
}

func (f *flow) unlink(ctx context.Context, v *viewer) error {
	removed, err := f.links.Unlink(ctx, f.request(), v.id, &profile.Unlink{Caller: v.caller(), Devices: []*profile.Candidates{{Id: [][]byte{deviceOf(v, true).Id}}}})
	if err == nil && len(removed) != 1 {
		err = fmt.Errorf("removed %d devices, want 1", len(removed))
	}
	return err
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
