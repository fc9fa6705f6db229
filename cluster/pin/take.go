package pin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/cluster"
	"ssod/cluster/wait"
)

const (
	// Spread bounds the time in which all shards are pinned.
	Spread = time.Second
	// again is the pause between two attempts.
	again = 200 * time.Millisecond
	// keepPace is how often nodes are told that a pin is needed.
	keepPace = patience / 6
	// asking bounds a request. One that reads may wait for a disk that is busy.
	asking = 15 * time.Second
)

// Taken is a pin of all shards. It must be closed.
type Taken struct {
	pins   *Pins
	number uint64
	where  map[cluster.ShardID]string

	// Everything acknowledged before Began is there. At End all shards were pinned.
	Began, End time.Time

	stop context.CancelFunc
	kept sync.WaitGroup
}

// Take pins all shards within [Spread], and tries again until ctx ends. It fails with
// [ErrBusy] when a node holds too many pins.
func (p *Pins) Take(ctx context.Context) (*Taken, error) {
	for {
		t, err := p.try(ctx)
		if err == nil {
			t.keep()
			return t, nil
		}
		if errors.Is(err, ErrBusy) {
			return nil, err
		}
		if ended := wait.Pause(ctx, again); ended != nil {
			return nil, fmt.Errorf("the shards cannot be pinned: %w", errors.Join(err, ended))
		}
	}
}

// try pins all shards once.
func (p *Pins) try(ctx context.Context) (_ *Taken, err error) {
	leaders, err := p.leaders()
	if err != nil {
		return nil, err
	}
	t := &Taken{pins: p, number: rand.Uint64(), where: make(map[cluster.ShardID]string)}
	for node, shards := range leaders {
		for _, id := range shards {
			t.where[id] = node
		}
	}
	if err := t.each(ctx, wordFlush, leaders); err != nil {
		return nil, err
	}
	meta := t.where[cluster.MetaShard]
	within, cancel := context.WithTimeout(ctx, Spread)
	defer cancel()
	t.Began = time.Now()
	if err = t.each(within, wordPin, without(leaders, cluster.MetaShard)); err == nil {
		err = t.each(within, wordPin, map[string][]cluster.ShardID{meta: {cluster.MetaShard}})
	}
	if t.End = time.Now(); err == nil && t.End.Sub(t.Began) > Spread {
		err = fmt.Errorf("pinning the shards took %v", t.End.Sub(t.Began))
	}
	if err != nil {
		t.release()
		return nil, err
	}
	return t, nil
}

// leaders are the leaders of all shards.
func (p *Pins) leaders() (map[string][]cluster.ShardID, error) {
	if p.node.Others != nil {
		return p.node.Others.Leaders()
	}
	all := make([]cluster.ShardID, p.node.Shards.Count()+1)
	for i := range all {
		all[i] = cluster.ShardID(i)
	}
	return map[string][]cluster.ShardID{"": all}, nil
}

func without(leaders map[string][]cluster.ShardID, but cluster.ShardID) map[string][]cluster.ShardID {
	rest := make(map[string][]cluster.ShardID)
	for node, shards := range leaders {
		for _, id := range shards {
			if id != but {
				rest[node] = append(rest[node], id)
			}
		}
	}
	return rest
}

// each asks nodes about shards concurrently.
func (t *Taken) each(ctx context.Context, what uint32, leaders map[string][]cluster.ShardID) error {
	failed := make(chan error, len(leaders))
	for node, shards := range leaders {
		r := &Request{Pin: t.number, What: what}
		for _, id := range shards {
			r.Shards = append(r.Shards, uint32(id))
		}
		go func() {
			_, err := t.ask(ctx, node, r)
			failed <- err
		}()
	}
	var all error
	for range leaders {
		all = errors.Join(all, <-failed)
	}
	return all
}

// ask asks a node, which may be this one.
func (t *Taken) ask(ctx context.Context, node string, r *Request) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	if node == "" {
		return t.pins.do(ctx, r)
	}
	request, err := proto.Marshal(r)
	if err != nil {
		return nil, err
	}
	raw, err := t.pins.node.Others.Ask(ctx, node, request)
	if err != nil {
		return nil, fmt.Errorf("node %s: %w", node, err)
	}
	var a Answer
	if err := proto.Unmarshal(raw, &a); err != nil {
		return nil, fmt.Errorf("node %s: %w", node, err)
	}
	return a.GetBytes(), nil
}

// nodes are those that hold a part of the pin.
func (t *Taken) nodes() map[string][]cluster.ShardID {
	all := make(map[string][]cluster.ShardID)
	for _, node := range t.where {
		all[node] = nil
	}
	return all
}

// keep tells the nodes that the pin is needed, until it is closed.
func (t *Taken) keep() {
	ctx, stop := context.WithCancel(context.Background())
	t.stop = stop
	t.kept.Go(func() {
		pace := time.NewTicker(keepPace)
		defer pace.Stop()
		for {
			select {
			case <-pace.C:
				_ = t.each(ctx, wordKeep, t.nodes()) // reading reports what is gone
			case <-ctx.Done():
				return
			}
		}
	})
}

// Close releases the pin.
func (t *Taken) Close() {
	t.stop()
	t.kept.Wait()
	t.release()
}

// release asks the nodes to release the pin; others do so after [patience].
func (t *Taken) release() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = t.each(ctx, wordRelease, t.nodes())
}

// Shard reads a shard, once: frames of a backup.
func (t *Taken) Shard(ctx context.Context, id cluster.ShardID) io.Reader {
	return &shardReader{ctx: ctx, t: t, id: id}
}

type shardReader struct {
	ctx   context.Context
	t     *Taken
	id    cluster.ShardID
	from  uint64
	piece []byte
	ended bool
}

// Read implements [io.Reader].
func (r *shardReader) Read(b []byte) (int, error) {
	if len(r.piece) == 0 && !r.ended {
		piece, err := r.t.ask(r.ctx, r.t.where[r.id], &Request{Pin: r.t.number, What: wordRead, Shards: []uint32{uint32(r.id)}, From: r.from})
		if err != nil {
			return 0, fmt.Errorf("read shard %d: %w", r.id, err)
		}
		r.piece, r.from, r.ended = piece, r.from+uint64(len(piece)), len(piece) == 0
	}
	if r.ended {
		return 0, io.EOF
	}
	n := copy(b, r.piece)
	r.piece = r.piece[n:]
	return n, nil
}
