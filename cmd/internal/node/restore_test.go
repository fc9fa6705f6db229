package node_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"ssod/actors"
	"ssod/actors/device"
	"ssod/actors/intent"
	"ssod/actors/linkdirectory"
	"ssod/actors/login"
	"ssod/actors/profile"
	"ssod/actors/trial"
	"ssod/actors/upstream"
	"ssod/cluster/placement"
	"ssod/cmd/internal/contents"
	"ssod/cmd/internal/node"
	"ssod/httpfront/config"
	"ssod/httpfront/token/keys"
	"ssod/httpfront/token/keys/keystest"
	"ssod/httpfront/token/keys/sealing"
	"ssod/persistence"
	"ssod/persistence/backup"
)

const restorePassphrase = "correct horse battery"

// sinceConfirmed is the age of the confirmed time in a backup of the tests.
const sinceConfirmed = 9 * time.Hour

// stored is something that a backup has.
type stored struct {
	kind     string
	identity actors.Identity
	state    proto.Message
	records  map[string][]byte
}

// sample is what the tests restore: two viewers, each with a device that has a login
// which both find, and a directory with more codes than fit into a commit.
func sample() []stored {
	var all []stored
	place := func(name string) *intent.Place {
		return intent.At(device.ID{ServiceProvider: "demo", Client: "c", Device: []byte(name)}.Address())
	}
	viewer := func(name string) actors.Address {
		return profile.ID{Realm: "demo", Namespace: profile.NamespaceSSO, Subject: name}.Address()
	}
	for _, name := range []string{"ann", "bob"} {
		s := &profile.State{LastMembership: 7, Members: []*profile.Member{{Device: []byte(name + "-tv"), Membership: 7, Type: profile.MemberType_REGULAR, LastSeenMs: time.Now().UnixMilli()}}}
		for _, maker := range []string{"ann-tv", "bob-tv"} {
			s.Logins = append(s.Logins, &profile.SharedLogin{Login: &login.Login{Id: []byte(maker), Mvpd: "sandbox"}, Device: place(maker)})
		}
		all = append(all, stored{profile.KindName, viewer(name).Identity, s, nil})
		own := &device.State{Logins: []*device.Regular{{
			Login: &login.Login{Id: []byte(name + "-tv"), Mvpd: "sandbox"}, Shared: []*login.Sharing{{Profile: intent.At(viewer("ann"))}, {Profile: intent.At(viewer("bob"))}},
		}}}
		all = append(all, stored{device.KindName, place(name + "-tv").Address().Identity, own, nil})
	}
	codes := make(map[string][]byte)
	for i := range 20_000 {
		code, _ := proto.Marshal(&linkdirectory.Entry{Length: 6, TtlMs: 900_000, Owner: bytes.Repeat([]byte("o"), 40)})
		codes[fmt.Sprintf("c%016d", i)] = code
	}
	return append(all, stored{linkdirectory.KindName, actors.Identity{"demo"}, &linkdirectory.State{}, codes})
}

// written writes a backup of two shards, the first of which has everything, and the
// keys of a cluster.
func written(t *testing.T, all []stored) []byte {
	t.Helper()
	var plain bytes.Buffer
	w, err := backup.NewWriter(&plain, &backup.Header{
		Cluster: "old", Node: "n1", Shards: 2, BeganMs: time.Now().UnixMilli(), PinnedMs: time.Now().UnixMilli(),
		Realms: []*backup.Realm{{Id: "demo", ServiceProviders: []string{"demo"}}},
	})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(err)
	for id := range uint32(3) {
		shard, err := backup.NewShard(w, &backup.Begin{Shard: (id + 1) % 3})
		must(err)
		if id == 0 {
			for _, e := range all {
				state, err := proto.Marshal(e.state)
				must(err)
				must(shard.Entity(&backup.Entity{Kind: e.kind, Identity: []byte(e.identity.Encode()), Rev: 9, Schema: 1, State: state}))
				for part, value := range e.records {
					must(shard.Record(&backup.Record{Part: []byte(part), Value: value}))
				}
			}
		}
		if id == 2 {
			must(shard.Entity(&backup.Entity{Kind: "meta", Identity: []byte(keys.Table), Rev: 9, Schema: 1}))
			for kid, raw := range someKeys(t) {
				must(shard.Record(&backup.Record{Part: []byte(kid), Value: raw}))
			}
			clock, err := proto.Marshal(&placement.ClockRecord{ConfirmedMs: time.Now().Add(-sinceConfirmed).UnixMilli(), SetBackMs: 1})
			must(err)
			must(shard.Entity(&backup.Entity{Kind: "meta", Identity: []byte("clock"), Rev: 9, Schema: 1}))
			must(shard.Record(&backup.Record{Part: []byte("confirmed"), Value: clock}))
		}
		must(shard.End())
	}
	must(w.End(time.Now()))
	return sealed(t, plain.Bytes())
}

// sealed encrypts as ssoctl does, but makes guesses cheap.
func sealed(t *testing.T, plain []byte) []byte {
	t.Helper()
	to, err := age.NewScryptRecipient(restorePassphrase)
	if err != nil {
		t.Fatal(err)
	}
	to.SetWorkFactor(1)
	var file bytes.Buffer
	w, err := age.Encrypt(&file, to)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// someKeys are those of a cluster that serves the demo.
func someKeys(t *testing.T) map[string][]byte {
	t.Helper()
	cfg := config.Demo(config.Options{})
	store, o := &keystest.Store{}, sealing.Options{Key: bytes.Repeat([]byte("k"), sealing.KeySize)}
	ring, err := keys.Open(t.Context(), keys.Options{Store: store, Sealing: o, Settings: func() *config.Config { return cfg }})
	if err != nil {
		t.Fatal(err)
	}
	ring.Close()
	portable, err := keys.Unseal(store.All(keys.Table), o)
	if err != nil {
		t.Fatal(err)
	}
	return portable
}

// restoring is how the tests restore a file.
func restoring(t *testing.T, file []byte) node.Restore {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "backup")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return node.Restore{
		File: name, Passphrase: restorePassphrase, Data: filepath.Join(dir, "data"), Name: "n1", Reserve: 1, Log: slog.New(slog.DiscardHandler),
	}
}

// heads are what a directory holds of a kind, by identity.
func heads(t *testing.T, dir, kind string) map[string]persistence.Head {
	t.Helper()
	store, err := persistence.Open(persistence.Options{Dir: dir, Reserve: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	all := make(map[string]persistence.Head)
	for id := range persistence.ShardID(store.Identity().Shards + 1) {
		err := store.Entities(id, kind, "", func(identity string, h persistence.Head) bool {
			all[identity] = h
			if kind == linkdirectory.KindName {
				n := 0
				if err := store.Records(id, persistence.Entity{Kind: kind, Identity: identity}, func(_, _ []byte) bool { n++; return true }); err != nil {
					t.Error(err)
				}
				h.Rev = uint64(n)
				all[identity] = h
			}
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestARestoredClusterServes(t *testing.T) {
	r := restoring(t, written(t, sample()))
	done, err := r.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if done.Entities != 5 || done.Contents.Members != 2 || done.Cluster == "old" || done.Cluster == "" {
		t.Errorf("restored: %+v", done)
	}
	codes := heads(t, r.Data, linkdirectory.KindName)[actors.Identity{"demo"}.Encode()].Rev
	if codes != 20_000 {
		t.Errorf("%d numbers of codes are kept, want all 20000", codes)
	}
	c := settings(t)
	c.Data = r.Data
	n := start(t, c)
	status, body := get(t, "http://"+n.Admin()+"/admin/v1/profile?realm=demo&namespace=sso&subject=ann")
	if status != 200 || !strings.Contains(body, `"membership": 7`) && !strings.Contains(body, `"membership": "7"`) {
		t.Errorf("the profile of a viewer: %d %s", status, body)
	}
	for kid := range someKeysOf(t, r) {
		if !strings.Contains(kids(t, n), kid) {
			t.Errorf("key %s is gone", kid)
		}
	}
}

// The confirmed time of the backup goes on in the new cluster. A clock is not believed
// because it is that of the restore: one that is years ahead would drop all members.
func TestARestoredClusterGoesOnFromTheConfirmedTime(t *testing.T) {
	const years = 10 * 365 * 24 * time.Hour
	for name, wrong := range map[string]time.Duration{"a right clock": 0, "a clock that is years ahead": years} {
		t.Run(name, func(t *testing.T) {
			r := restoring(t, written(t, sample()[:2]))
			r.Clock = func() time.Time { return time.Now().Add(wrong) }
			done, err := r.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if off := done.Leap - wrong - sinceConfirmed; off.Abs() > time.Minute {
				t.Errorf("the clock is said to be %v ahead, want %v", done.Leap, wrong+sinceConfirmed)
			}
			c := settings(t)
			c.Data, c.Clock = r.Data, r.Clock
			n := start(t, c)
			got, _ := conditionOf(t, n.Admin(), "retention")
			_, rest, _ := strings.Cut(got.Detail, "the clock leapt by ")
			text, _, _ := strings.Cut(rest, " ")
			leapt, err := time.ParseDuration(text)
			if off := leapt - wrong - sinceConfirmed; err != nil || off.Abs() > time.Minute || got.OK {
				t.Errorf("%+v (%v), want a leap of %v", got, err, wrong+sinceConfirmed)
			}
		})
	}
}

// someKeysOf are the keys that a backup has.
func someKeysOf(t *testing.T, r node.Restore) map[string]bool {
	t.Helper()
	f, err := os.Open(r.File)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	plain, err := backup.Open(f, r.Passphrase)
	if err != nil {
		t.Fatal(err)
	}
	found := &kidsIn{all: make(map[string]bool)}
	if _, err := contents.Take(plain, &actors.Restore{Erased: func(actors.Address) bool { return false }}, found); err != nil {
		t.Fatal(err)
	}
	return found.all
}

// kidsIn is a [contents.Taker] that notes the ids of keys.
type kidsIn struct{ all map[string]bool }

func (k *kidsIn) Entity(persistence.Entity, persistence.Head) error { return nil }
func (k *kidsIn) Record(persistence.Record) error                   { return nil }
func (k *kidsIn) Table(string, string, []byte) error                { return nil }
func (k *kidsIn) Key(id string, _ *keys.Portable) error             { k.all[id] = true; return nil }

// TestErasedTrialsAreNotRestored: what the devices of an erased viewer watched without a login
// is gone, with the identities that lead there, also by way of a trial that yields; and so is
// the subject at a TV provider of which nobody else has a login. Others keep theirs.
func TestErasedTrialsAreNotRestored(t *testing.T) {
	key := func(by, name string) actors.Identity { return actors.Identity{"demo", "trial", by, name} }
	at := func(id string) actors.Identity {
		return trial.MVPD{Realm: "demo", ID: "trial"}.Trial([]byte(id)).Identity
	}
	entry := func(name string) *upstream.Entry {
		return &upstream.Entry{
			Login: []byte(name), Mvpd: "sandbox", Device: intent.At(device.ID{ServiceProvider: "demo", Client: "c", Device: []byte(name)}.Address()),
			NotAfterMs: time.Now().Add(time.Hour).UnixMilli(),
		}
	}
	subject := func(name string) actors.Identity {
		return upstream.ID{Realm: "demo", MVPD: "sandbox", By: upstream.Subject, Digest: upstream.Digest(name)}.Address().Identity
	}
	all := []stored{
		{trial.KeyKind, key("identity", "ann by one"), &trial.Key{Trial: []byte("one")}, nil},
		{trial.KeyKind, key("identity", "ann by two"), &trial.Key{Trial: []byte("two")}, nil},
		{trial.KeyKind, key("identity", "bob"), &trial.Key{Trial: []byte("bobs")}, nil},
		{trial.KeyKind, key("identity", "of no trial"), &trial.Key{}, nil},
		{trial.KindName, at("two"), &trial.Trial{BeganMs: 1, Used: []string{"ann's film"}}, nil},
		{trial.KindName, at("bobs"), &trial.Trial{BeganMs: 1, Used: []string{"bob's film"}}, nil},
		{upstream.KindName, subject("ann"), &upstream.State{Logins: []*upstream.Entry{entry("ann-tv")}}, nil},
		{upstream.KindName, subject("both"), &upstream.State{Logins: []*upstream.Entry{entry("ann-tv"), entry("bob-tv")}}, nil},
	}
	all = append(all, sample()...) // the viewers come after what is theirs
	all = append(all,
		stored{trial.KindName, at("one"), &trial.Trial{Yields: []byte("two")}, nil},
		stored{trial.KeyKind, key("device", trial.DeviceDigest([]byte("ann-tv"))), &trial.Key{Trial: []byte("one")}, nil},
		stored{trial.KeyKind, key("device", trial.DeviceDigest([]byte("bob-tv"))), &trial.Key{Trial: []byte("bobs")}, nil},
	)
	for _, erased := range []bool{false, true} {
		r := restoring(t, written(t, all))
		want := map[string]int{trial.KindName: 3, trial.KeyKind: 6, upstream.KindName: 2}
		if erased {
			r.Erase = []profile.ID{{Realm: "demo", Namespace: profile.NamespaceSSO, Subject: "ann"}}
			want = map[string]int{trial.KindName: 1, trial.KeyKind: 3, upstream.KindName: 1}
		}
		if _, err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		for kind, want := range want {
			found := heads(t, r.Data, kind)
			if len(found) != want {
				t.Errorf("erased %v: %d of kind %s, want %d", erased, len(found), kind, want)
			}
			for identity, h := range found {
				if erased && (strings.Contains(identity, "ann") || bytes.Contains(h.State, []byte("ann"))) {
					t.Errorf("a %s still names who is erased", kind)
				}
			}
		}
	}
}

// Whoever is on the list is not there, nor what their device had, wherever it was.
func TestErasedViewersAreNotRestored(t *testing.T) {
	r := restoring(t, written(t, sample()))
	r.Erase = []profile.ID{{Realm: "demo", Namespace: profile.NamespaceSSO, Subject: "ann"}, {Realm: "demo", Namespace: profile.NamespaceSSO, Subject: "nobody"}}
	done, err := r.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if done.Erased != 1 || done.Devices != 1 || done.Entities != 3 {
		t.Errorf("restored: %+v", done)
	}
	for kind, want := range map[string]int{profile.KindName: 1, device.KindName: 1} {
		all := heads(t, r.Data, kind)
		if len(all) != want {
			t.Errorf("%d of kind %s, want %d", len(all), kind, want)
		}
		for identity, h := range all {
			if strings.Contains(identity, "ann") || bytes.Contains(h.State, []byte("ann")) {
				t.Errorf("a %s still names who is erased", kind)
			}
		}
	}
}

// empty reports what is in a directory that nothing should be in.
func empty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// A backup that is not as it was written, or that is opened with another passphrase,
// changes nothing.
func TestABadBackupIsNotRestored(t *testing.T) {
	whole := written(t, sample()[:2])
	for name, tt := range map[string]struct {
		file   []byte
		change func(*node.Restore)
		want   error
	}{
		"another passphrase": {whole, func(r *node.Restore) { r.Passphrase += "?" }, backup.ErrPassphrase},
		"cut off":            {whole[:len(whole)-1], nil, backup.ErrDamaged},
		"no backup":          {[]byte("something else"), nil, backup.ErrDamaged},
		"none":               {whole, func(r *node.Restore) { r.File += "?" }, fs.ErrNotExist},
		"a later version": {
			written(t, []stored{{"something new", actors.Identity{"x"}, &profile.State{}, nil}}), nil, contents.ErrUnknown,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := restoring(t, tt.file)
			if tt.change != nil {
				tt.change(&r)
			}
			if _, err := r.Run(t.Context()); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			empty(t, r.Data)
		})
	}
	t.Run("a byte that was changed", func(t *testing.T) {
		r := restoring(t, whole)
		rapid.Check(t, func(rt *rapid.T) {
			changed := slices.Clone(whole)
			changed[rapid.IntRange(0, len(whole)-1).Draw(rt, "at")] ^= byte(rapid.IntRange(1, 255).Draw(rt, "by"))
			if err := os.WriteFile(r.File, changed, 0o600); err != nil {
				rt.Fatal(err)
			}
			if _, err := r.Run(t.Context()); !errors.Is(err, backup.ErrDamaged) && !errors.Is(err, backup.ErrPassphrase) {
				rt.Fatalf("got %v", err)
			}
		})
		empty(t, r.Data)
	})
}

func TestARestoreIntoADirectoryInUseChangesNothing(t *testing.T) {
	r := restoring(t, written(t, sample()[:2]))
	if err := os.MkdirAll(r.Data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.Data, "identity.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Run(t.Context()); !errors.Is(err, persistence.ErrNotEmpty) {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(r.Data); err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// A disk that has no room, or an operator who has no patience, leave an empty directory.
func TestARestoreThatEndsEarlyLeavesNothing(t *testing.T) {
	file := written(t, sample())
	full := restoring(t, file)
	full.Reserve = 1 << 62
	if _, err := full.Run(t.Context()); !errors.Is(err, persistence.ErrNoSpace) {
		t.Errorf("on a full disk: got %v", err)
	}
	empty(t, full.Data)
	ctx, cancel := context.WithCancel(t.Context())
	given := restoring(t, file)
	given.Clock = func() time.Time { // it is asked when the store is there
		cancel()
		return time.Now()
	}
	if _, err := given.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: got %v", err)
	}
	empty(t, given.Data)
}
