package login_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"ssod/actors"
	"ssod/actors/device"
	"ssod/actors/intent"
	"ssod/actors/login"
	"ssod/cluster/faulty"
)

// TestPromisesAreFoundAmongManyEntities: nodes died before they shared logins
// that they had kept. Whoever leads next finds these few among all devices, by
// itself and soon, although its sweep would take days.
func TestPromisesAreFoundAmongManyEntities(t *testing.T) {
	many, few := 5000, 20
	if os.Getenv("SSOD_LONG") != "" {
		many, few = 100_000, 100
	}
	w := newWorld(t, faulty.Options{})
	w.stop()
	for i := range many {
		w.plant(fmt.Sprint("idle", i), &device.State{SessionUntilMs: 1, Session: &intent.Place{Kind: "session"}})
	}
	for i := range few {
		name := fmt.Sprint("promising", i)
		w.plant(name, w.promising(name))
	}
	began := time.Now()
	w.limits = actors.Limits{SweepRate: 1}
	w.start()
	defer w.stop()
	for i := range few {
		address := deviceID(fmt.Sprint("promising", i)).Address()
		for w.open(address) > 0 {
			if time.Since(began) > 2*time.Minute {
				t.Fatalf("a promise is open after %v among %d", time.Since(began), many)
			}
		}
	}
	t.Logf("%d of %d devices kept their promises in %v", few, few+many, time.Since(began))
	if got := len(w.found()); got != 1 {
		t.Errorf("%d identities have a login, want that of the platform", got)
	}
}

// promising is a device that has kept a login and died before it shared it.
func (w *world) promising(name string) *device.State {
	kept := w.made(name).GetLogin()
	p := &intent.Promises{Request: w.request(), At: actors.Times{Now: w.now(), Confirmed: w.now()}}
	p.Add(intent.At(platform.Address()), &login.Share{Login: kept, Origin: intent.At(deviceID(name).Address())})
	return &device.State{Logins: []*device.Regular{{Login: kept}}, Open: p.Made()}
}

// plant stores a device as an earlier owner left it.
func (w *world) plant(name string, s *device.State) {
	w.Helper()
	commit, err := intent.Encode(s)
	if err != nil {
		w.Fatal(err)
	}
	address := deviceID(name).Address()
	commit.Entity = address.Entity()
	shard, ok := w.shards.Lead(address.Shard(w.shards.Slots()))
	if !ok {
		w.Fatal("nobody leads")
	}
	if err := shard.Commit(context.Background(), *commit); err != nil {
		w.Fatal(err)
	}
}
