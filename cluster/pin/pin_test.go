package pin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"ssod/cluster"
	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/persistence"
	"ssod/persistence/backup"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const shards = 4

// machine is a node that leads all of its shards; which of them count the test says.
type machine struct {
	*Pins
	engine *replica.Engine
}

func start(t *testing.T, others Others) *machine {
	t.Helper()
	store, err := persistence.Open(persistence.Options{
		Dir: "data", DefaultNode: "n1", Shards: shards, FS: vfs.NewMem(), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	engine, err := replica.Alone(t.Context(), replica.Config{
		Node: 1, Shards: shards, Log: store.Log(), State: store, Address: func(core.NodeID) string { return "" },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	m := &machine{New(Node{Shards: engine, Flush: store.Log().Flush, Pin: store.Pin, Others: others}), engine}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

// put stores a state of an entity in a shard.
func (m *machine) put(t *testing.T, id cluster.ShardID, name string, base uint64, state string) {
	t.Helper()
	shard, ok := m.engine.Lead(id)
	if !ok {
		t.Fatalf("shard %d is not led", id)
	}
	err := shard.Commit(t.Context(), cluster.Commit{Entity: cluster.Entity{Kind: "k", Identity: name}, BaseRev: base, State: []byte(state)})
	if err != nil {
		t.Fatal(err)
	}
}

// states reads all shards as a backup has them.
func states(t *testing.T, taken *Taken) map[string]string {
	t.Helper()
	var all bytes.Buffer
	w, err := backup.NewWriter(&all, &backup.Header{Shards: shards})
	for i := 0; i <= shards && err == nil; i++ {
		_, err = io.Copy(w, taken.Shard(t.Context(), cluster.ShardID((i+1)%(shards+1))))
	}
	if err = errors.Join(err, w.End(taken.End)); err != nil {
		t.Fatal(err)
	}
	in, err := backup.NewReader(&all)
	got := make(map[string]string)
	for err == nil {
		var f *backup.Frame
		if f, err = in.Next(); f.GetEntity() != nil {
			got[fmt.Sprint(in.Shard(), "/", string(f.GetEntity().GetIdentity()))] = string(f.GetEntity().GetState())
		}
	}
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return got
}

// What was acknowledged before is there, in every shard, and what came afterwards is not.
func TestOneMomentOfAllShards(t *testing.T) {
	m := start(t, nil)
	for id := range cluster.ShardID(shards + 1) {
		m.put(t, id, "e", 0, "before")
	}
	taken, err := m.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for id := range cluster.ShardID(shards + 1) {
		m.put(t, id, "e", 1, "after")
		m.put(t, id, "new", 0, "after")
	}
	got := states(t, taken)
	for id := range shards + 1 {
		if got[fmt.Sprint(id, "/e")] != "before" {
			t.Errorf("shard %d: got %v", id, got)
		}
	}
	if len(got) != shards+1 {
		t.Errorf("got %v", got)
	}
}

// pair is a node and another one that leads some of the shards.
type pair struct {
	other *machine
	odd   []cluster.ShardID // led by the other
	ask   func(request []byte, answer func() ([]byte, error)) ([]byte, error)

	mu    sync.Mutex
	asked []uint32
}

func (p *pair) Leaders() (map[string][]cluster.ShardID, error) {
	all := map[string][]cluster.ShardID{"other": p.odd}
	for id := range cluster.ShardID(shards + 1) {
		if !slices.Contains(p.odd, id) {
			all[""] = append(all[""], id)
		}
	}
	return all, nil
}

func (p *pair) Ask(ctx context.Context, _ string, request []byte) ([]byte, error) {
	var r Request
	if err := proto.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.asked = append(p.asked, r.GetWhat())
	p.mu.Unlock()
	answer := func() ([]byte, error) { return p.other.Serve(ctx, request) }
	if p.ask == nil {
		return answer()
	}
	return p.ask(request, answer)
}

func startPair(t *testing.T) (*machine, *pair) {
	t.Helper()
	p := &pair{other: start(t, nil), odd: []cluster.ShardID{1, 3}}
	m := start(t, p)
	for id := range cluster.ShardID(shards + 1) {
		m.put(t, id, "e", 0, "here")
		p.other.put(t, id, "e", 0, "there")
	}
	return m, p
}

// Each shard is read where it is led.
func TestShardsOfOtherNodes(t *testing.T) {
	m, p := startPair(t)
	taken, err := m.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := states(t, taken)
	for id := range cluster.ShardID(shards + 1) {
		want := "here"
		if slices.Contains(p.odd, id) {
			want = "there"
		}
		if got[fmt.Sprint(id, "/e")] != want {
			t.Errorf("shard %d: got %q, want %q", id, got[fmt.Sprint(id, "/e")], want)
		}
	}
	taken.Close()
	if len(p.other.held)+len(m.held) != 0 {
		t.Error("something is held after the end")
	}
}

// A shard that changes hands meanwhile makes all of it be pinned again.
func TestAPinIsTakenAgain(t *testing.T) {
	m, p := startPair(t)
	refusals := 2
	p.ask = func(request []byte, answer func() ([]byte, error)) ([]byte, error) {
		var r Request
		if err := proto.Unmarshal(request, &r); err == nil && r.GetWhat() == wordPin && refusals > 0 {
			refusals--
			return nil, errLed
		}
		return answer()
	}
	taken, err := m.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if refusals != 0 || len(m.held) != 1 {
		t.Errorf("%d refusals are left, %d pins are held", refusals, len(m.held))
	}
	p.ask = func([]byte, func() ([]byte, error)) ([]byte, error) { return nil, errLed }
	ctx, cancel := context.WithTimeout(t.Context(), 3*again)
	defer cancel()
	if _, err := m.Take(ctx); !errors.Is(err, errLed) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("where it never can be pinned: got %v", err)
	}
}

// An answer that was lost is given again.
func TestALostAnswerIsGivenAgain(t *testing.T) {
	m, p := startPair(t)
	p.ask = func(request []byte, answer func() ([]byte, error)) ([]byte, error) {
		var r Request
		if err := proto.Unmarshal(request, &r); err == nil && r.GetWhat() == wordRead {
			if _, err := answer(); err != nil {
				return nil, err
			}
		}
		return answer()
	}
	taken, err := m.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if got := states(t, taken); got["1/e"] != "there" {
		t.Errorf("got %v", got)
	}
}

// When a node is gone, what it held is not made up for.
func TestANodeThatIsGoneEndsIt(t *testing.T) {
	m, p := startPair(t)
	taken, err := m.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if err := p.other.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(taken.Shard(t.Context(), 1)); !errors.Is(err, ErrGone) {
		t.Errorf("got %v", err)
	}
	if _, err := io.ReadAll(taken.Shard(t.Context(), 2)); err != nil {
		t.Errorf("of this node: %v", err)
	}
}

func TestANodeHoldsFewPins(t *testing.T) {
	m := start(t, nil)
	for range maxPins {
		taken, err := m.Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
	}
	if _, err := m.Take(t.Context()); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v", err)
	}
}

// What nobody needs any more is let go, because who took it is gone.
func TestAPinThatNobodyNeedsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(Node{})
		if _, err := p.hold(7); err != nil {
			t.Fatal(err)
		}
		time.Sleep(patience - 1)
		keep, err := proto.Marshal(&Request{Pin: 7, What: wordKeep})
		if err == nil {
			_, err = p.Serve(t.Context(), keep)
		}
		if err != nil {
			t.Fatalf("just before: %v", err)
		}
		time.Sleep(patience - 1)
		if _, err := p.Serve(t.Context(), keep); err != nil {
			t.Errorf("it was said to be needed: %v", err)
		}
		time.Sleep(patience + 1)
		if _, err := p.Serve(t.Context(), keep); !errors.Is(err, ErrGone) {
			t.Errorf("afterwards: %v", err)
		}
	})
}

func TestRequestsThatAreNone(t *testing.T) {
	p := New(Node{})
	for _, r := range []*Request{{}, {What: wordPin}, {What: wordFlush}, {What: wordRead}, {What: 99, Shards: []uint32{1}}} {
		raw, err := proto.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Serve(t.Context(), raw); !errors.Is(err, errRequest) {
			t.Errorf("%v: got %v", r, err)
		}
	}
	if _, err := p.Serve(t.Context(), []byte{0xff}); !errors.Is(err, errRequest) {
		t.Errorf("no message: got %v", err)
	}
}
