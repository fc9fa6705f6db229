package meta_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ssod/cluster"
	"ssod/cluster/faulty"
	"ssod/cluster/meta"
)

// pair is two nodes of a cluster: a leads the meta shard at first.
type pair struct {
	truth    *faulty.Truth
	nodes    map[string]*faulty.Node
	stores   map[string]*meta.Store
	lose     atomic.Int32 // so many answers of forwarded changes get lost
	requests atomic.Int32
}

func newPair(t *testing.T) *pair {
	p := &pair{truth: faulty.New(faulty.Options{}), nodes: map[string]*faulty.Node{}, stores: map[string]*meta.Store{}}
	for _, address := range []string{"a:1", "b:1"} {
		p.nodes[address] = p.truth.Node(address)
	}
	for address, node := range p.nodes {
		s, err := meta.Follow(node, meta.Options{Reader: p.reader(t), Forward: p.forward})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		p.stores[address] = s
	}
	return p
}

// reader reads what is stored; the faulty store applies on all nodes at once.
func (p *pair) reader(t *testing.T) cluster.Reader {
	for _, n := range p.nodes {
		if shard, ok := n.Lead(cluster.MetaShard); ok {
			return shard
		}
	}
	t.Fatal("nobody leads")
	return nil
}

func (p *pair) forward(ctx context.Context, to cluster.Owner, request []byte) ([]byte, error) {
	p.requests.Add(1)
	answer, err := p.stores[to.Address].Serve(ctx, request)
	for _, s := range p.stores {
		s.Applied()
	}
	if p.lose.Add(-1) >= 0 {
		return nil, errors.New("the connection broke")
	}
	return answer, err
}

func TestAChangeIsMadeWhereTheMetaShardIsLed(t *testing.T) {
	p := newPair(t)
	b := p.stores["b:1"]
	if err := b.Change(t.Context(), "keys", put("k", "1"), nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"k": "1"}, content(b, "keys")); diff != "" {
		t.Errorf("on the node that asked (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"k": "1"}, content(p.stores["a:1"], "keys")); diff != "" {
		t.Errorf("on the leader (-want +got):\n%s", diff)
	}
}

func TestAChangeWhoseAnswerIsLostHasOneEffect(t *testing.T) {
	p := newPair(t)
	p.lose.Store(2)
	b := p.stores["b:1"]
	if err := b.Change(t.Context(), "keys", put("k", "1"), nil); err != nil {
		t.Fatal(err)
	}
	if got := b.Read("keys").Revision(); got != 1 || p.requests.Load() != 3 {
		t.Errorf("got revision %d after %d requests, want 1 after 3", got, p.requests.Load())
	}
}

func TestAnUpdateOfAChangedTableIsRefused(t *testing.T) {
	p := newPair(t)
	a, b := p.stores["a:1"], p.stores["b:1"]
	for i, s := range []*meta.Store{b, a, b} {
		if err := s.Update(t.Context(), "nodes", uint64(i), put("k", "v"), nil); err != nil {
			t.Fatalf("update %d: %v", i, err)
		}
		if err := a.Await(t.Context(), "nodes", uint64(i+1)); err != nil {
			t.Fatal(err)
		}
	}
	for name, s := range map[string]*meta.Store{"leader": a, "other": b} {
		err := s.Update(t.Context(), "nodes", 2, put("k", "w"), nil)
		if !errors.Is(err, meta.ErrChanged) || !errors.Is(err, cluster.ErrRejected) {
			t.Errorf("%s: got %v, want ErrChanged, which is ErrRejected", name, err)
		}
		if _, revision := s.Records("nodes"); revision != 3 {
			t.Errorf("%s: after ErrChanged revision %d is shown, want 3", name, revision)
		}
	}
	if v, _ := a.Get("nodes", "k"); string(v) != "v" {
		t.Errorf("got %q, want v", v)
	}
}

func TestGarbageIsNotServed(t *testing.T) {
	p := newPair(t)
	for _, request := range [][]byte{nil, {1, 2, 3}, []byte("keys")} {
		if answer, err := p.stores["a:1"].Serve(t.Context(), request); err == nil {
			t.Errorf("serve %q: got %q", request, answer)
		}
	}
}
