package transport_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
	"time"

	"ssod/cluster"
	"ssod/cluster/transport"
)

// file is so many bytes that do not repeat themselves.
func file(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b)
	return b
}

// made is a snapshot whose file is there.
func made(name string, file io.Reader, frame []byte) *cluster.Snapshot {
	return &cluster.Snapshot{
		Name: name, Size: 1, Rate: func() int { return 0 },
		Make: func() (io.ReadCloser, []byte, error) { return io.NopCloser(file), frame, nil },
	}
}

// reservation is what comes first on a snapshot's connection.
var reservation = frame(14, "\x00\x00\x00\x00\x00\x00\x00\x01")

// never is a snapshot that must not be made.
func never(t *testing.T, name string) *cluster.Snapshot {
	s := made(name, nil, nil)
	s.Make = func() (io.ReadCloser, []byte, error) {
		t.Errorf("snapshot %s was made", name)
		return nil, nil, errTest
	}
	return s
}

func TestASnapshotArrivesWithItsFrame(t *testing.T) {
	for name, options := range modes(t) {
		t.Run(name, func(t *testing.T) {
			a, b := pair(t, options...)
			for _, size := range []int{0, 1, 128 << 10, 3<<20 + 7} {
				want := file(size)
				if err := a.SendSnapshot(2, made(fmt.Sprint("1-2-", size), bytes.NewReader(want), []byte("frame"))); err != nil {
					t.Fatal(err)
				}
				got := receive(t, "a snapshot", b.snapshots)
				if got.err != nil || got.from != 1 || got.name != fmt.Sprint("1-2-", size) || got.frame != "frame" || !bytes.Equal(got.file, want) {
					t.Errorf("size %d: got %d bytes as %q with %q from %d: %v", size, len(got.file), got.name, got.frame, got.from, got.err)
				}
			}
		})
	}
}

// TestAnInterruptedSnapshotIsNotTakenForWhole: whatever is cut off, both sides
// learn of it.
func TestAnInterruptedSnapshotIsNotTakenForWhole(t *testing.T) {
	b := start(t, 2)
	p := newProxy(t, b)
	a := start(t, 1, through(p, b))
	know(t, a, b.peer)
	connected(t, a, 2)
	p.CutAfter(1 << 20)
	if err := a.SendSnapshot(2, made("s1", bytes.NewReader(file(2<<20)), nil)); err == nil {
		t.Error("the sender was not told")
	}
	if got := receive(t, "a snapshot", b.snapshots); got.err == nil {
		t.Errorf("%d of %d bytes were taken for the whole", len(got.file), 2<<20)
	}
	p.CutAfter(0)
	if err := a.SendSnapshot(2, made("s2", bytes.NewReader(file(2<<20)), nil)); err != nil {
		t.Errorf("the next snapshot: %v", err)
	}
}

func TestAFileThatCannotBeReadIsNotSent(t *testing.T) {
	a, b := pair(t)
	broken := io.MultiReader(bytes.NewReader(file(1<<20)), iotest.ErrReader(errTest))
	if err := a.SendSnapshot(2, made("s1", broken, nil)); !errors.Is(err, errTest) {
		t.Errorf("got %v, want %v", err, errTest)
	}
	if got := receive(t, "a snapshot", b.snapshots); got.err == nil {
		t.Errorf("%d bytes were taken for the whole", len(got.file))
	}
}

func TestADamagedSnapshotIsRefused(t *testing.T) {
	n := start(t, 1)
	end := string(make([]byte, 16))
	c, _ := greet(t, n, greeting(2, 1, 2, "c1", "n2"), reservation+frame(6, "\x02s1frame")+frame(8, "data")+frame(9, end))
	all(c)
	if got := receive(t, "a snapshot", n.snapshots); !errors.Is(got.err, transport.ErrChecksum) {
		t.Errorf("got %v, want %v", got.err, transport.ErrChecksum)
	}
}

func TestASnapshotHasAHarmlessName(t *testing.T) {
	a, b := pair(t)
	for _, name := range []string{"", "../identity", "a/b", "a.sst", "A"} {
		if err := a.SendSnapshot(2, made(name, bytes.NewReader(nil), nil)); !errors.Is(err, transport.ErrFrame) {
			t.Errorf("send %q: got %v, want %v", name, err, transport.ErrFrame)
		}
		offer := reservation + frame(6, string(byte(len(name)))+name+"frame")
		c, _ := greet(t, b, greeting(2, 2, 1, "c1", "n1"), offer)
		all(c)
	}
	if len(b.snapshots) != 0 {
		t.Error("a snapshot was delivered")
	}
}

func TestSnapshotsToNobodyFail(t *testing.T) {
	a := start(t, 1)
	if err := a.SendSnapshot(2, made("s1", bytes.NewReader(nil), nil)); !errors.Is(err, transport.ErrUnknownNode) {
		t.Errorf("got %v, want %v", err, transport.ErrUnknownNode)
	}
}

// TestSnapshotsTakeTurns: a third one waits, and is told when it waits too long.
func TestSnapshotsTakeTurns(t *testing.T) {
	a, c := start(t, 1), start(t, 3)
	b := open(t, 2, func(c *transport.Config) { c.SnapshotWait = 200 * time.Millisecond })
	b.hold = make(chan struct{})
	b.Start(b.recorder)
	know(t, a, b.peer)
	know(t, c, b.peer)
	sent := make(chan error, 2)
	for i := range 2 {
		go func() { sent <- a.SendSnapshot(2, made(fmt.Sprint("s", i), bytes.NewReader(file(10)), nil)) }()
	}
	<-b.held
	<-b.held
	if err := c.SendSnapshot(2, never(t, "s3")); !errors.Is(err, transport.ErrBusy) {
		t.Errorf("third snapshot: got %v, want %v", err, transport.ErrBusy)
	}
	close(b.hold)
	for range 2 {
		if err := receive(t, "a snapshot is sent", sent); err != nil {
			t.Error(err)
		}
	}
	if err := c.SendSnapshot(2, made("s4", bytes.NewReader(file(10)), nil)); err != nil {
		t.Errorf("a snapshot afterwards: %v", err)
	}
}

func TestSnapshotsKeepBelowTheirRate(t *testing.T) {
	a, _ := pair(t, func(c *transport.Config) { c.SnapshotRate = 2 << 20 })
	begin := time.Now()
	if err := a.SendSnapshot(2, made("s1", bytes.NewReader(file(1<<20)), nil)); err != nil {
		t.Fatal(err)
	}
	// One chunk of 128 KiB may leave at once; the others take 437 ms.
	if took := time.Since(begin); took < 400*time.Millisecond {
		t.Errorf("1 MiB at 2 MiB/s took %v", took)
	}
}

func TestCloseEndsASnapshot(t *testing.T) {
	a, b := pair(t)
	b.hold = make(chan struct{})
	sent := make(chan error, 1)
	go func() { sent <- a.SendSnapshot(2, made("s1", bytes.NewReader(file(10)), nil)) }()
	<-b.held
	a.Close()
	if err := receive(t, "the sender ends", sent); err == nil {
		t.Error("the snapshot counts as sent")
	}
	close(b.hold)
}

func TestANodeThatCannotStoreASnapshotSaysSo(t *testing.T) {
	b := open(t, 2)
	a := start(t, 1)
	b.Start(fullDisk{b.recorder})
	know(t, a, b.peer)
	if err := a.SendSnapshot(2, made("s1", bytes.NewReader(file(10)), nil)); !errors.Is(err, transport.ErrRefused) {
		t.Errorf("got %v, want %v", err, transport.ErrRefused)
	}
}

// A node that has no room says so before the snapshot is made.
func TestASnapshotForWhichThereIsNoRoomIsNotMade(t *testing.T) {
	b := open(t, 2)
	a := start(t, 1)
	b.Start(noRoom{b.recorder})
	know(t, a, b.peer)
	if err := a.SendSnapshot(2, never(t, "s1")); !errors.Is(err, transport.ErrRefused) {
		t.Errorf("got %v, want %v", err, transport.ErrRefused)
	}
}

// noRoom has no room for a snapshot.
type noRoom struct{ *recorder }

func (noRoom) AdmitSnapshot(uint64) error { return errTest }

// A snapshot of a shard that grows faster than the limit for all goes faster: at the
// limit this one would take ten days.
func TestASnapshotGoesFasterThanItsShardGrows(t *testing.T) {
	a, b := pair(t, func(c *transport.Config) { c.SnapshotRate = 1 })
	s := made("s1", bytes.NewReader(file(1<<20)), nil)
	s.Rate = func() int { return 1 << 30 }
	if err := a.SendSnapshot(2, s); err != nil {
		t.Error(err)
	}
	if got := receive(t, "a snapshot", b.snapshots); len(got.file) != 1<<20 {
		t.Errorf("got %d bytes", len(got.file))
	}
}

// fullDisk stores no snapshot.
type fullDisk struct{ *recorder }

func (fullDisk) DeliverSnapshot(nodeID, string, io.Reader, []byte) error { return errTest }
