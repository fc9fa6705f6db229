package profile_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/actors/profile"
	"ssod/cluster"
	"ssod/cluster/faulty"
)

func kind() actors.Kind {
	return profile.Kind(profile.Config{
		Retention: func() time.Duration { return 400 * 24 * time.Hour },
		TokenLife: func(string) time.Duration { return tokenLife },
	})
}

// startProfiles starts a runtime with profiles; stop is also called at the end.
func startProfiles(t testing.TB, shards cluster.Shards, self string, limits actors.Limits, metrics prometheus.Registerer) (c profile.Client, stop func()) {
	t.Helper()
	r, err := actors.Start(actors.Config{Shards: shards, Slots: faulty.Slots(shards), Self: self, Kinds: []actors.Kind{kind()}, Limits: limits, Metrics: metrics})
	if err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := r.Stop(ctx); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return profile.Client{Asker: r}, stop
}

func mint(t testing.TB, c profile.Client, request byte, id profile.ID, device string, a *profile.Attributes) *profile.Caller {
	t.Helper()
	number, err := c.Mint(context.Background(), cluster.RequestID{request, 1}, id, &profile.Mint{Device: profile.NewDevice([]byte(device), a), MaxDevices: 50})
	if err != nil {
		t.Fatal(err)
	}
	return token(device, number)
}

// lastSeen is what is stored of a profile's first member.
func lastSeen(t *testing.T, shards cluster.Shards, id profile.ID) int64 {
	t.Helper()
	shard, _ := shards.Lead(id.Address().Shard(faulty.Slots(shards)()))
	head, _, err := shard.Head(id.Address().Entity())
	if err != nil {
		t.Fatal(err)
	}
	var s profile.State
	if err := proto.Unmarshal(head.State, &s); err != nil {
		t.Fatal(err)
	}
	return s.Members[0].LastSeenMs
}

func TestLastSeenIsWrittenBeforePassivation(t *testing.T) {
	store := faulty.New(faulty.Options{}).Node("a:1")
	c, stop := startProfiles(t, store, "a:1", actors.Limits{Tick: time.Millisecond, Idle: 20 * time.Millisecond}, nil)
	phone := mint(t, c, 1, viewer, "phone", nil)
	founded := lastSeen(t, store, viewer)
	for deadline := time.Now().Add(2 * time.Minute); lastSeen(t, store, viewer) == founded; {
		if time.Now().After(deadline) {
			t.Fatal("a refresh never reached the disk")
		}
		if err := c.Refresh(t.Context(), cluster.RequestID{2}, viewer, phone); err != nil {
			t.Fatal(err)
		}
		<-time.After(40 * time.Millisecond) // longer than Idle
	}
	stop()
}

func TestAnOverdueLastSeenIsWrittenWhileActive(t *testing.T) {
	var ahead time.Duration
	store := faulty.New(faulty.Options{Clock: func() time.Time { return time.Now().Add(ahead) }}).Node("a:1")
	c, stop := startProfiles(t, store, "a:1", actors.Limits{Tick: time.Hour, Idle: time.Hour}, nil)
	phone := mint(t, c, 1, viewer, "phone", nil)
	stop()

	ahead = 2 * time.Hour
	c, stop = startProfiles(t, store, "a:1", actors.Limits{Tick: time.Millisecond, Idle: time.Hour}, nil)
	if err := c.Refresh(t.Context(), cluster.RequestID{2}, viewer, phone); err != nil {
		t.Fatal(err)
	}
	want := time.Now().Add(time.Hour).UnixMilli()
	for deadline := time.Now().Add(2 * time.Minute); lastSeen(t, store, viewer) < want; {
		if time.Now().After(deadline) {
			t.Fatal("an overdue lastSeen was not written")
		}
		<-time.After(time.Millisecond)
	}
	stop()
}

// M3: an owner that was deposed and does not know it answers nothing from
// memory, and its successor decides.
func TestADeposedOwnerDoesNotVouchForTokens(t *testing.T) {
	truth := faulty.New(faulty.Options{})
	a, b := truth.Node("a:1"), truth.Node("b:1")
	limits := actors.Limits{OwnerWait: 50 * time.Millisecond}
	old, stopOld := startProfiles(t, a, "a:1", limits, nil)
	next, stopNext := startProfiles(t, b, "b:1", limits, nil)
	phone := mint(t, old, 1, viewer, "phone", nil)
	tv := mint(t, old, 2, viewer, "tv", nil)

	truth.Usurp(viewer.Address().Shard(a.Slots()), b)
	_, _, err := next.Unlink(t.Context(), cluster.RequestID{3}, viewer, &profile.Unlink{
		Caller: phone, Devices: []*profile.Candidates{{Id: [][]byte{[]byte("tv")}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := next.Refresh(t.Context(), cluster.RequestID{4}, viewer, tv); !errors.Is(err, profile.ErrNotMember) {
		t.Errorf("refresh at the new owner: got %v, want %v", err, profile.ErrNotMember)
	}
	if err := old.Refresh(t.Context(), cluster.RequestID{5}, viewer, tv); !errors.Is(err, actors.ErrUnavailable) {
		t.Errorf("refresh at the old owner: got %v, want %v", err, actors.ErrUnavailable)
	}
	if members, err := old.List(t.Context(), cluster.RequestID{6}, viewer, phone); err == nil {
		t.Errorf("list at the old owner: got %d members", len(members))
	}
	if _, err := old.Mint(t.Context(), cluster.RequestID{7}, viewer, &profile.Mint{Device: profile.NewDevice([]byte("tv"), nil), MaxDevices: 50}); err == nil {
		t.Error("mint at the old owner succeeded")
	}
	stopOld()
	stopNext()
}

func TestErasedProfilesShowNothing(t *testing.T) {
	c, stop := startProfiles(t, faulty.New(faulty.Options{}).Node("a:1"), "a:1", actors.Limits{}, nil)
	phone := mint(t, c, 1, viewer, "phone", nil)
	if s, exists, err := c.Show(t.Context(), cluster.RequestID{2}, viewer); err != nil || !exists || len(s.Members) != 1 {
		t.Fatalf("show: got %d members, exists %v, %v", len(s.GetMembers()), exists, err)
	}
	if n, _, err := c.Erase(t.Context(), cluster.RequestID{3}, viewer, nil); err != nil || n != 1 {
		t.Fatalf("erase: got %d, %v", n, err)
	}
	if _, exists, err := c.Show(t.Context(), cluster.RequestID{4}, viewer); err != nil || exists {
		t.Errorf("show after erase: exists %v, %v", exists, err)
	}
	if err := c.Refresh(t.Context(), cluster.RequestID{5}, viewer, phone); !errors.Is(err, profile.ErrNotMember) {
		t.Errorf("refresh after erase: got %v", err)
	}
	stop()
}

// An idle active profile with three devices takes under 1 KB beside its
// encoded state, everything of the runtime included.
func TestAnIdleProfileIsSmall(t *testing.T) {
	const profiles = 3000
	store := faulty.New(faulty.Options{}).Node("a:1")
	limits := actors.Limits{Tick: time.Hour}
	attributes := &profile.Attributes{
		DeviceType: "smartTV", Model: "QX-55", Os: "Tizen", OsVersion: "5.0", Platform: "Tizen",
		UserAgent: "Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0)", Manufacturer: "Samsung", Vendor: "Samsung",
	}
	c, stop := startProfiles(t, store, "a:1", limits, nil)
	ids := make([]profile.ID, profiles)
	for i := range ids {
		ids[i] = profile.ID{Realm: "acme", Namespace: "sso", Subject: fmt.Sprintf("viewer-%08d", i)}
		for d := range 3 {
			device := strings.Repeat(fmt.Sprint(d), 36)
			number, err := c.Mint(t.Context(), cluster.RequestID{byte(i), byte(i >> 8), byte(d)}, ids[i], &profile.Mint{Device: profile.NewDevice([]byte(device), attributes), MaxDevices: 50})
			if err != nil || number == 0 {
				t.Fatal(err)
			}
		}
	}
	stop()

	limits.Tick, limits.Idle = 10*time.Millisecond, time.Hour
	c, stop = startProfiles(t, store, "a:1", limits, nil)
	before := heap()
	encoded := 0
	for i, id := range ids {
		s, _, err := c.Show(t.Context(), cluster.RequestID{byte(i), byte(i >> 8)}, id)
		if err != nil {
			t.Fatal(err)
		}
		encoded += proto.Size(s)
	}
	each := 0
	smallEnough := func() bool {
		each = (int(heap()) - int(before) - encoded) / profiles
		return each <= 1024
	}
	for deadline := time.Now().Add(2 * time.Minute); !smallEnough(); { // they rest after a tick
		if time.Now().After(deadline) {
			t.Fatalf("an idle profile takes %d bytes beside its encoded state of %d", each, encoded/profiles)
		}
	}
	t.Logf("%d bytes beside an encoded state of %d", each, encoded/profiles)
	stop()
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
