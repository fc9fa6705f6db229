package actors_test

import (
	"sync/atomic"
	"testing"

	"ssod/actors"
	"ssod/cluster"
	"ssod/cluster/faulty"
	"ssod/cluster/stream"
)

// word is the voucher that passes for a barrier here, and that this node gives.
var word = cluster.Voucher{Term: 7, Replica: 2<<32 | 1}

// vouching are shards with vouchers.
type vouching struct{ cluster.Shards }

type vouchedShard struct{ cluster.Shard }

func (v vouching) Lead(id cluster.ShardID) (cluster.Shard, bool) {
	s, ok := v.Shards.Lead(id)
	return vouchedShard{s}, ok
}

func (vouching) Vouch(cluster.ShardID) (cluster.Voucher, bool) { return word, true }

func (vouchedShard) Vouched(v cluster.Voucher) bool { return v == word }

// TestAReadThatIsVouchedForNeedsNoBarrier, and one that is not takes one.
func TestAReadThatIsVouchedForNeedsNoBarrier(t *testing.T) {
	var barriers atomic.Int32
	v := newView(faulty.Options{Barriers: func(faulty.Op) faulty.Fault {
		barriers.Add(1)
		return faulty.None
	}})
	r := start(t, vouching{v}, &probe{}, func(c *actors.Config) { c.Self, c.Remote = "", loopback() })
	v.self = r.Address()
	v.move(v.self, 5)
	c := newCaller(t, r)
	for n, tt := range []struct {
		name, how string
		flags     byte
		word      cluster.Voucher
		want      int32
	}{
		{"vouched for", "read", 2, word, 0},
		{"vouched for, a fence that the entity asks for", "read fenced", 2, word, 0},
		{"not vouched for", "read", 0, cluster.Voucher{}, 1},
		{"vouched for another leader", "read", 2, cluster.Voucher{Term: 6, Replica: word.Replica}, 1},
	} {
		barriers.Store(0)
		m := command(t, address("x"), 4, n, do(tt.how))
		m.Flags, m.Voucher = tt.flags, tt.word
		if got := c.ask(t, m); got.Code != actors.Code_OK {
			t.Errorf("%s: %v", tt.name, got.Code)
		}
		if got := barriers.Load(); got != tt.want {
			t.Errorf("%s: %d barriers, want %d", tt.name, got, tt.want)
		}
	}
}

// TestCommandsCarryAWord: of this node, to whoever owns the shard.
func TestCommandsCarryAWord(t *testing.T) {
	came := make(chan actors.Sent, 1)
	owner, err := stream.Open(stream.Config{
		Listen: "127.0.0.1:0", Papers: loopback().Papers, Ended: func(*stream.Link, bool) {},
		Receive: func(_ *stream.Link, _ stream.Kind, payload []byte) (err error) {
			var s actors.Sent
			err = s.Decode(payload)
			came <- s
			return err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	owner.Start()
	defer owner.Close()
	v := newView(faulty.Options{})
	r := start(t, vouching{v}, &probe{}, func(c *actors.Config) { c.Self, c.Remote = "", loopback() })
	v.move(owner.Address(), 5)
	r.Tell(address("x"), request(1), 0, do("read"))
	if got := (<-came).Voucher; got != word {
		t.Errorf("the command came with %+v, want %+v", got, word)
	}
}
