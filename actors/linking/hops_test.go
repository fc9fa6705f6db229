package linking_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ssod/actors"
	"ssod/actors/linkdirectory"
	"ssod/actors/linking"
	"ssod/actors/profile"
	"ssod/cluster"
	"ssod/cluster/faulty"
	"ssod/cluster/secret"
	"ssod/cluster/stream"
)

// trio is three nodes: the viewer's profile lives on the first, the directory on the
// second, and the third is asked.
type trio struct {
	*realm
	nodes []*faulty.Node
	names sync.Map // of a node -> where it listens
}

// renamed is a node's view in which owners have the addresses where they listen.
type renamed struct {
	*faulty.Node
	names *sync.Map
}

func (n renamed) Owner(id cluster.ShardID) (cluster.Owner, bool) {
	o, ok := n.Node.Owner(id)
	if at, known := n.names.Load(o.Address); known {
		o.Address = at.(string)
	}
	return o, ok
}

func openTrio(t *testing.T, p *trouble) *trio {
	t.Helper()
	c := &trio{realm: &realm{
		wanted: linkdirectory.Wanted{Length: 6, Alphabet: linkdirectory.Digits, TTL: codeLife, MaxLive: 10_000, WrongHits: 1000, Address: home},
		budget: 1 << 20, retries: 200, metrics: prometheus.NewRegistry(),
		truth: faulty.New(faulty.Options{Shards: shards, Commits: p.plan}),
	}}
	ring, err := secret.NewRing(secret.Key{1})
	if err != nil {
		t.Fatal(err)
	}
	var runtimes []*actors.Runtime
	for i, name := range []string{"first", "second", "third"} {
		c.nodes = append(c.nodes, c.truth.Node(name))
		var stop func()
		c.runtime, stop = startNode(t, renamed{c.nodes[i], &c.names}, prometheus.WrapRegistererWith(prometheus.Labels{"node": name}, c.metrics), ring)
		t.Cleanup(stop)
		c.names.Store(name, c.runtime.Address())
		runtimes = append(runtimes, c.runtime)
	}
	for _, from := range runtimes { // so that nothing is asked twice
		for _, to := range runtimes {
			if err := from.Reach(t.Context(), to.Address()); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.profiles, c.links = profile.Client{Asker: c.runtime}, linking.NewClient(c.runtime, realmKeys{})
	c.truth.Move(linkdirectory.Address(viewer.Realm).Shard(cluster.DivideSlots(shards)), c.nodes[1])
	return c
}

func startNode(t *testing.T, shards cluster.Shards, metrics prometheus.Registerer, ring *secret.Ring) (r *actors.Runtime, stop func()) {
	t.Helper()
	r, err := actors.Start(actors.Config{
		Shards: shards, Slots: faulty.Slots(shards), Metrics: metrics, Log: slog.New(slog.DiscardHandler),
		Limits: actors.Limits{Tick: often},
		Remote: &actors.Remote{Listen: "127.0.0.1:0", Papers: stream.Papers{Secrets: ring, Cluster: "c1"}},
		Kinds: linking.Kinds(profile.Config{
			Retention: func() time.Duration { return 400 * 24 * time.Hour },
			TokenLife: func(string) time.Duration { return tokenLife },
		}, linkdirectory.Config{Keys: realmKeys{}, Metrics: metrics, Log: slog.New(slog.DiscardHandler)}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := r.Stop(ctx); err != nil {
			t.Error(err)
		}
	}
}

// TestHops: to make or redeem a code takes two hops where all three nodes differ.
func TestHops(t *testing.T) {
	c := openTrio(t, &trouble{})
	number, err := c.mint("phone", c.request())
	if err != nil {
		t.Fatal(err)
	}
	hops := c.gauge(t, "ssod_actor_hops_total")
	code, err := c.linkOnce(token("phone", number), c.request())
	if err != nil {
		t.Fatal(err)
	}
	if got := c.gauge(t, "ssod_actor_hops_total") - hops; got != 2 {
		t.Errorf("link: got %v hops, want 2", got)
	}
	hops = c.gauge(t, "ssod_actor_hops_total")
	if _, err := c.redeem(code.Text, "tv", c.request()); err != nil {
		t.Fatal(err)
	}
	if got := c.gauge(t, "ssod_actor_hops_total") - hops; got != 2 {
		t.Errorf("redeem: got %v hops, want 2", got)
	}
	c.wantLive(t, 0)
}

// TestTheOwnerChangesInAFlow: the node that runs a flow stops leading while it waits
// for the other entity, and the next owner ends it with one outcome.
func TestTheOwnerChangesInAFlow(t *testing.T) {
	for _, kind := range []string{linkdirectory.KindName, profile.KindName} {
		t.Run("held at a "+kind, func(t *testing.T) {
			p := &trouble{kind: kind, fault: faulty.Hold}
			c := openTrio(t, p)
			number, err := c.mint("phone", c.request())
			if err != nil {
				t.Fatal(err)
			}
			phone, code := token("phone", number), linking.Code{}
			step := func() (err error) { code, err = c.linkOnce(phone, c.request()); return err }
			moved := viewer.Address().Shard(cluster.DivideSlots(shards))
			if kind == profile.KindName { // redeemed from the directory's node
				if err := step(); err != nil {
					t.Fatal(err)
				}
				moved = linkdirectory.Address(viewer.Realm).Shard(cluster.DivideSlots(shards))
				step = func() error { _, err := c.redeem(code.Text, "tv", c.request()); return err }
			}
			p.next.Store(1)
			var done atomic.Pointer[error]
			var flow sync.WaitGroup
			flow.Go(func() { err := step(); done.Store(&err) })
			eventually(t, "the commit that is held", func() bool { return p.next.Load() <= 0 })
			c.truth.Move(moved, c.nodes[2])
			c.truth.Release()
			flow.Wait()
			if err := *done.Load(); err != nil {
				t.Fatal(err)
			}
			if kind == linkdirectory.KindName {
				if _, err := c.redeem(code.Text, "tv", c.request()); err != nil {
					t.Fatal(err)
				}
			}
			s, _, err := c.profiles.Show(t.Context(), c.request(), viewer)
			if err != nil || len(s.Codes) != 1 || len(s.Members) != 2 {
				t.Errorf("got %d codes and %d members, %v; want one code and two members", len(s.GetCodes()), len(s.GetMembers()), err)
			}
		})
	}
}
