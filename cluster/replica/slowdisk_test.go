package replica_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/persistence"
)

// watched opens an engine that is alone on a disk, with ticks of a millisecond.
func watched(t *testing.T, disk *slowDisk, change func(*replica.Config)) *replica.Engine {
	t.Helper()
	store, err := persistence.Open(persistence.Options{
		Dir: "data", DefaultNode: "n1", Shards: 8, FS: disk.fs(), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	c := replica.Config{
		Node: 1, Shards: 8, Log: store.Log(), State: store, Address: func(core.NodeID) string { return "a:1" }, Tick: time.Millisecond,
	}
	change(&c)
	e, err := replica.Alone(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// A disk that does not finish a write is slow, and stays so for a while after it
// has, in which its node writes to it although nobody has it do so.
func TestADiskThatStallsIsSlowForAWhile(t *testing.T) {
	disk, judged := newSlowDisk(), make(chan replica.Disk, 10)
	registry := prometheus.NewRegistry()
	e := watched(t, disk, func(c *replica.Config) {
		c.SlowDisk, c.QuietDisk = 200*time.Millisecond, 100*time.Millisecond
		c.DiskJudged, c.Registerer = func(d replica.Disk) { judged <- d }, registry
	})
	if d := e.Disk(); d.Slow {
		t.Errorf("at first: got %+v", d)
	}
	disk.gate.Lock()
	committed := commitLater(t.Context(), first(t, e), 1)
	if d := <-judged; !d.Slow || d.Age < 200*time.Millisecond {
		t.Errorf("while a write hangs: got %+v", d)
	}
	if got := gauges(t, registry); got["ssod_disk_slow"] != 1 || got["ssod_disk_write_age_seconds"] < 0.2 {
		t.Errorf("while a write hangs: got %v", got)
	}
	disk.gate.Unlock()
	if err := <-committed; err != nil {
		t.Error(err)
	}
	if d := <-judged; d.Slow {
		t.Errorf("after it was quick for a while: got %+v", d)
	}
	if got := gauges(t, registry); got["ssod_disk_slow"] != 0 {
		t.Errorf("after it was quick for a while: got %v", got)
	}
}

// As long as every sync hangs the disk is not taken for quick, although nobody
// writes.
func TestASlowDiskIsProbed(t *testing.T) {
	disk, judged := newSlowDisk(), make(chan replica.Disk, 10)
	e := watched(t, disk, func(c *replica.Config) {
		c.SlowDisk, c.QuietDisk = 100*time.Millisecond, 400*time.Millisecond
		c.DiskJudged = func(d replica.Disk) { judged <- d }
	})
	disk.gate.Lock()
	committed := commitLater(t.Context(), first(t, e), 1)
	<-judged
	<-disk.waiting
	disk.gate.Unlock()
	<-committed
	disk.gate.Lock()
	<-disk.waiting // a probe
	disk.gate.Unlock()
	if d := <-judged; d.Slow {
		t.Errorf("got %+v, want a quick disk", d)
	}
}

// A disk that lags behind others is written to even without commits, so that its
// appends are measured, and is no slow one.
func TestADiskThatLagsIsMeasured(t *testing.T) {
	judged := make(chan replica.Disk, 10)
	e := watched(t, newSlowDisk(), func(c *replica.Config) {
		c.QuietDisk = 4 * time.Millisecond
		c.DiskJudged = func(d replica.Disk) { judged <- d }
	})
	e.SetLags(true)
	e.SetLags(true)
	if d := <-judged; !d.Lags || d.Slow {
		t.Errorf("got %+v, want a disk that lags", d)
	}
	before, _ := e.Appends()
	for n, took := e.Appends(); n < before+5; n, took = e.Appends() {
		if t.Context().Err() != nil {
			t.Fatalf("%d appends that took %v", n, took)
		}
		runtime.Gosched()
	}
	e.SetLags(false)
	if d := <-judged; d.Lags || len(judged) > 0 {
		t.Errorf("got %+v and %d more, want one that does not lag", d, len(judged))
	}
}

// A write that is never finished ends the process, once, by ticks: a watch whose
// ticks do not come sees no time pass.
func TestADiskThatHangsIsFatal(t *testing.T) {
	disk, fatal := newSlowDisk(), make(chan error, 10)
	e := watched(t, disk, func(c *replica.Config) {
		c.SlowDisk, c.HungDisk = 50*time.Millisecond, 300*time.Millisecond
		c.Fatal = func(err error) { fatal <- err }
	})
	disk.gate.Lock()
	committed := commitLater(t.Context(), first(t, e), 1)
	if err := <-fatal; !errors.Is(err, replica.ErrDiskHung) {
		t.Errorf("got %v, want ErrDiskHung", err)
	}
	disk.gate.Unlock()
	e.Close()
	<-committed
	if len(fatal) > 0 {
		t.Errorf("it was told again: %v", <-fatal)
	}
}

// A disk that hangs while a lone node starts ends the start: what is closed then is
// not waited for.
func TestADiskThatHangsEndsTheStartOfALoneNode(t *testing.T) {
	disk := newSlowDisk()
	store, err := persistence.Open(persistence.Options{
		Dir: "data", DefaultNode: "n1", Shards: 8, FS: disk.fs(), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := replica.Found(store.Log(), 1, 8); err != nil {
		t.Fatal(err)
	}
	disk.gate.Lock()
	ctx, end := context.WithCancelCause(t.Context())
	registry := prometheus.NewRegistry()
	_, err = replica.Alone(ctx, replica.Config{
		Node: 1, Shards: 8, Log: store.Log(), State: store, Address: func(core.NodeID) string { return "a:1" },
		Tick: time.Millisecond, SlowDisk: 50 * time.Millisecond, HungDisk: 300 * time.Millisecond, Fatal: end, Registerer: registry,
	})
	if !errors.Is(err, context.Canceled) || !errors.Is(context.Cause(ctx), replica.ErrDiskHung) {
		t.Errorf("got %v, because of %v", err, context.Cause(ctx))
	}
	disk.gate.Unlock()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for len(gauges(t, registry)) > 0 { // until it is closed
		<-tick.C
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

func gauges(t *testing.T, r *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		if g := f.GetMetric()[0].GetGauge(); g != nil {
			values[f.GetName()] = g.GetValue()
		}
	}
	return values
}

// Time in which no ticks come, because the process is paused, makes no write old.
func TestAPauseMakesNoWriteOld(t *testing.T) {
	disk, fatal := newSlowDisk(), make(chan error, 10)
	e := watched(t, disk, func(c *replica.Config) {
		c.Tick, c.SlowDisk, c.HungDisk = time.Hour, 1, 2
		c.Fatal = func(err error) { fatal <- err }
	})
	disk.gate.Lock()
	committed := commitLater(t.Context(), first(t, e), 1)
	<-disk.waiting
	if d := e.Disk(); d.Slow || d.Age > 0 {
		t.Errorf("got %+v, want no age without a tick", d)
	}
	disk.gate.Unlock()
	if err := <-committed; err != nil || len(fatal) > 0 {
		t.Errorf("got %v, and %d fatal errors", err, len(fatal))
	}
}

// A replica that is made or removed while the disk hangs holds up neither the
// loop nor other shards, and nobody gets an id before it is on disk.
func TestMakingAReplicaDoesNotHoldUpTheLoop(t *testing.T) {
	disk := newSlowDisk()
	store, err := persistence.Open(persistence.Options{
		Dir: "data", DefaultNode: "n1", Shards: 8, FS: disk.fs(), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	e, err := replica.Open(replica.Config{
		Node: 2, Shards: 8, Log: store.Log(), State: store, Address: func(core.NodeID) string { return "a:1" },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	other, err := e.Prepare(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	hang := func(begin func()) {
		t.Helper()
		disk.gate.Lock()
		defer disk.gate.Unlock()
		begin()
		<-disk.waiting
		if st, err := e.Status(t.Context(), 1); st.ID != other || err != nil {
			t.Errorf("another shard: got %v, %v", st.ID, err)
		}
		if id, err := e.Prepare(t.Context(), 2); !errors.Is(err, replica.ErrEnding) {
			t.Errorf("prepare meanwhile: got %v, %v, want ErrEnding", id, err)
		}
	}
	made := make(chan core.ReplicaID, 1)
	hang(func() {
		go func() {
			id, err := e.Prepare(t.Context(), 2)
			if err != nil {
				t.Error(err)
			}
			made <- id
		}()
	})
	if id := <-made; id != persistence.NewReplicaID(2, 1) {
		t.Errorf("got replica %v", id)
	}
	hang(func() {
		if err := e.Remove(t.Context(), 2); err != nil {
			t.Error(err)
		}
	})
	until(t, func() bool {
		id, err := e.Prepare(t.Context(), 2)
		return err == nil && id == persistence.NewReplicaID(2, 2)
	})
}
